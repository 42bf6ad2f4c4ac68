"""What Celery workers have, asked in the background: each question takes a second."""

import threading
from collections.abc import Mapping
from typing import Any

ASKED = "polster_about"
ANSWER_SECONDS = 1.0
"""How long nobody may have answered any more."""
SOON_SECONDS = 0.4
"""The same before a run, which waits for it; who is slower is looked at with its first step."""
PAUSE_SECONDS = 2.0


class Watch:
    """Asks all workers again and again which tasks they have."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.error = ""
        """Why the broker could not be asked."""
        self.workers: Mapping[str, Any] = {}
        """What each worker said last."""
        self.queued = 1
        """How many tasks wait at the broker."""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin to ask, where nobody does."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="celery", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(ANSWER_SECONDS * 3)

    def has(self, key: str) -> bool:
        """Whether a worker has a task."""
        return any(key in told["tasks"] for told in self.workers.values())

    def ask(self, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """What each worker says of itself. Raises what Celery raises."""
        found = self.app.control.broadcast(ASKED, reply=True, timeout=seconds) or []
        replies = {name: told for reply in found for name, told in reply.items()}
        return {name: told for name, told in replies.items() if "tasks" in told}

    def _go_on(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            try:
                workers, queued = self.ask(), self._waiting()
            except Exception as error:  # whatever the client of the broker raises
                self.error = str(error) or type(error).__name__
            else:
                self.error, self.workers, self.queued = "", workers, queued

    def _waiting(self) -> int:
        with self.app.connection_for_read() as link:
            name = self.app.conf.task_default_queue
            try:
                return int(link.default_channel.queue_declare(name, passive=True).message_count)
            except link.channel_errors:  # Redis knows of no queue while it is empty
                return 0
