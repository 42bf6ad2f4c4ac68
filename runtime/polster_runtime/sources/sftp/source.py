"""Files of an SFTP server: those that are new or have changed, from a server that is who it says.

    source = SFTP(pattern="/out/orders-*.csv")     # SFTP_HOST, SFTP_USER, SFTP_PASSWORD in .env

Files are downloaded side by side into data/.staging, read from there as a stream, and deleted. The
position knows which files were read: it is published together with their rows.

"""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import asyncssh

from polster_runtime.config.logging import log, operation
from polster_runtime.errors import SourceError
from polster_runtime.sources.base import Frames, Position
from polster_runtime.sources.files.positions import position_after, unknown
from polster_runtime.sources.files.scratch import scratch_folder
from polster_runtime.sources.sftp.client import (
    sftp_client,
    sftp_errors,
    sftp_file_errors,
    sftp_settings,
)
from polster_runtime.sources.sftp.files import SftpFile, SftpFormat, load_sftp_data

MAX_DOWNLOADS = 32
"""How many files are downloaded side by side."""
UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
"""Ends of names that say that a file is still being written."""


@dataclass(frozen=True, kw_only=True)
class SFTP(SftpFormat):
    """The files of a server that match a pattern."""

    pattern: str
    if_empty: Literal["error", "empty"] = "error"
    """What becomes of a pattern that matches nothing."""
    connection: str = "SFTP"

    def read(self, position: Position = None) -> Frames:
        """The rows of the files that a position does not know, and the position after them."""
        with download_sftp_files(self.pattern, position, connection=self.connection) as found:
            if not found.matches and self.if_empty == "error":
                raise SourceError(
                    f"no file matches {self.pattern}; "
                    'check it, or let that be with SFTP(..., if_empty="empty")'
                )
            if found.files or self.schema:
                yield from load_sftp_data(found.files, self)
            elif position is None:
                raise SourceError(
                    f"{self.pattern}: there is no file to read yet that would tell the columns; "
                    'to begin without rows, give SFTP(..., schema={"id": pl.Int64})'
                )
        return found.position

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """What `polster doctor` tries, one after the other."""
        refused: list[SourceError] = []

        def address() -> tuple[str, int]:
            settings = sftp_settings(self.connection)
            return settings.host, settings.port

        def resolve() -> str:
            with sftp_errors(self.connection):
                return str(socket.getaddrinfo(*address())[0][4][0])

        def connect() -> str:
            with sftp_errors(self.connection), socket.create_connection(address(), timeout=10):
                return f"port {address()[1]} is open"

        def host_key() -> str:
            try:
                asyncio.run(_look(self.connection))
            except SourceError as error:
                if not isinstance(error.__cause__, asyncssh.PermissionDenied):
                    raise
                refused.append(error)  # that comes after the host key
            return "it is the one that is known"

        def authenticate() -> str:
            for error in refused:
                raise error
            return f"{sftp_settings(self.connection).user} is let in"

        def listed() -> str:
            count = len(asyncio.run(_look(self.connection, self.pattern)))
            return f"{count} {'file matches' if count == 1 else 'files match'} {self.pattern}"

        yield "settings", lambda: "{}, port {}".format(*address())
        yield "resolve", resolve
        yield "connect", connect
        yield "host key", host_key
        yield "authenticate", authenticate
        yield "list", listed


@dataclass(frozen=True)
class SftpDownload:
    """Files that were downloaded, the oldest first, and the position after them."""

    files: list[SftpFile]
    position: Position
    matches: int
    """How many files of the server match the pattern."""


@contextmanager
def download_sftp_files(
    pattern: str, position: Position = None, *, connection: str = "SFTP"
) -> Iterator[SftpDownload]:
    """Download the files that match a pattern and that a position does not know.

    They are there until the block ends. A file that is still being written is left for the next
    time. Raises SettingsError, SourceError, and StorageError when the disk is full.
    """
    with scratch_folder("sftp") as folder:
        with operation("download", pattern=pattern):
            found = asyncio.run(_download(connection, pattern, position, folder))
        yield found


async def _download(
    connection: str, pattern: str, position: Position, folder: Path
) -> SftpDownload:
    """Download the files that a position does not know, and that nobody is writing."""
    async with sftp_client(connection) as client:
        found = await _list_files(client, pattern)
        wanted = unknown(found, position)
        age, now = sftp_settings(connection).min_age_seconds, time.time()
        # What a clock that is ahead wrote long ago is settled, too.
        settled = [file for file in wanted if not age or abs(now - file.changed) >= age]
        done = await _fetch_all(client, settled, folder)
    left = {file.path for file in wanted} - {file.path for file in done}
    if left:
        details = {"files": len(left), "such_as": ", ".join(sorted(left)[:3])}
        log.warning("still being written, left for the next run", extra={"details": details})
    known = [file for file in found if file.path not in left]
    return SftpDownload(done, position_after(known, position), len(found))


async def _fetch_all(
    client: asyncssh.SFTPClient, files: Sequence[SftpFile], folder: Path
) -> list[SftpFile]:
    """Download files side by side; those that have stayed as they were listed, the oldest first."""
    pending, done = iter(enumerate(files)), list[SftpFile]()

    async def worker() -> None:
        for number, file in pending:
            suffixes = re.sub(r"[^.\w]", "", "".join(PurePosixPath(file.path).suffixes[-2:]))
            local = folder / f"{number:06}{suffixes}"
            if await _fetch(client, file, local):
                done.append(replace(file, local=local))

    await asyncio.gather(*(worker() for _ in range(MAX_DOWNLOADS)))
    return sorted(done, key=lambda file: (file.changed, file.path))


async def _fetch(client: asyncssh.SFTPClient, file: SftpFile, local: Path) -> bool:
    """Download a file. False when it is no longer the one that was listed."""
    with sftp_file_errors(file.path):
        async with client.open(_encoded(file.path), "rb") as remote:
            with local.open("wb") as target:
                async for offset, data in await remote.read_parallel(file.size):
                    target.seek(offset)
                    target.write(data)
                arrived = target.seek(0, 2)
            now = await remote.stat()
    return (arrived, now.size, now.mtime) == (file.size, file.size, file.changed)


async def _look(connection: str, pattern: str = "") -> list[SftpFile]:
    """The files that match a pattern; none without one, if the server lets us in."""
    async with sftp_client(connection) as client:
        return await _list_files(client, pattern) if pattern else []


async def _list_files(client: asyncssh.SFTPClient, pattern: str) -> list[SftpFile]:
    """The files that match a pattern, and whose names do not say that they are unfinished."""
    try:
        names = await client.glob_sftpname(_encoded(pattern))
    except asyncssh.SFTPNoSuchFile:
        await _check_folder(client, pattern)
        return []
    found = []
    for name in names:
        path = name.filename
        text = path if isinstance(path, str) else path.decode("utf-8", "surrogateescape")
        if text.lower().endswith(UNFINISHED):
            continue
        attrs = name.attrs
        if attrs.type == asyncssh.FILEXFER_TYPE_SYMLINK or None in {attrs.size, attrs.mtime}:
            with sftp_file_errors(text):
                attrs = await client.stat(path)
        if attrs.type in {asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN}:
            found.append(SftpFile(text, attrs.size or 0, int(attrs.mtime or 0)))
    return found


async def _check_folder(client: asyncssh.SFTPClient, pattern: str) -> None:
    """Raise what keeps the folder of a pattern from being listed, if anything does."""
    fixed = re.split(r"[*?\[]", pattern)[0]
    folder = fixed.rpartition("/")[0] or ("/" if fixed.startswith("/") else ".")
    with sftp_file_errors(folder):
        async for _ in client.scandir(_encoded(folder)):
            return


def _encoded(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
