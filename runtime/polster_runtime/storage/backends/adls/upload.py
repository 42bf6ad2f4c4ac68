"""Sending a file while it is being written.

Blocks of a file are not to be seen before they are committed, all in one step; Azure forgets those
that never are.
"""

import base64
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobClient

BLOCK_BYTES = 8 * 2**20
AT_ONCE = 4
"""Blocks of a file that are sent at the same time."""
LOOK_SECONDS = 0.05
"""How often a file is looked at for whether it has grown."""


class Upload:
    """One file on its way, from when it is begun."""

    def __init__(self, blob: BlobClient) -> None:
        self.blob, self.file = blob, Path()
        self._lock, self._next = Lock(), 0
        self._complete, self._abandoned = Event(), Event()
        self._sums: dict[int, int] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, "upload")
        self._workers: list[Future[None]] = []

    def begin(self, file: Path) -> None:
        """Send the blocks of a file as they come to be there."""
        self.file = file
        self._workers = [self._threads.submit(self._send) for _ in range(AT_ONCE)]

    def has_sent(self, file: Path) -> bool:
        """Whether some of a file is there already; a small one is better sent all at once."""
        return file == self.file and self._next > 0

    def finish(self, mark: str) -> None:
        """Send what is missing and let all of it appear. Raises ResourceExistsError."""
        self._complete.set()
        for worker in self._workers:
            worker.result()
        size = self.file.stat().st_size
        numbers = range(-(-size // BLOCK_BYTES))
        for number in numbers:
            # A block that was written once more, after it had been sent, is sent once more.
            if zlib.crc32(content := self._content(number)) != self._sums.get(number):
                self.blob.stage_block(_name(number), content)
        self.blob.commit_block_list(
            [BlobBlock(_name(number)) for number in numbers],
            metadata={"upload": mark},
            match_condition=MatchConditions.IfMissing,
        )

    def abandon(self) -> None:
        """Stop; what was not committed is never to be seen."""
        self._abandoned.set()
        self._threads.shutdown(wait=False)

    def _send(self) -> None:
        """Send one whole block after the other until the file is complete."""
        while not self._abandoned.is_set():
            number = self._take()
            if number is not None:
                content = self._content(number)
                self.blob.stage_block(_name(number), content)
                self._sums[number] = zlib.crc32(content)
            elif self._complete.wait(LOOK_SECONDS):
                return

    def _take(self) -> int | None:
        """The next block that is whole, if there is one."""
        with self._lock:
            try:
                whole = self.file.stat().st_size // BLOCK_BYTES
            except FileNotFoundError:  # not begun, or discarded
                return None
            if self._next >= whole:
                return None
            self._next += 1
            return self._next - 1

    def _content(self, number: int) -> bytes:
        with self.file.open("rb") as content:
            content.seek(number * BLOCK_BYTES)
            return content.read(BLOCK_BYTES)


def _name(number: int) -> str:
    """Names of blocks are Base64, and equally long."""
    return base64.b64encode(f"{number:08}".encode()).decode()
