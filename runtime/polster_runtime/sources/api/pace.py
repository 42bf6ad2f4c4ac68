"""How fast an API is asked."""

import threading
import time
from functools import cache

from polster_runtime.config import interruption


class _ApiPace:
    """Lets a request pass every so often, for all threads that ask the same API."""

    def __init__(self, per_second: float) -> None:
        self.seconds = 1 / per_second if per_second > 0 else 0.0
        self.lock, self.free_at = threading.Lock(), 0.0

    def __call__(self) -> None:
        with self.lock:
            now = time.monotonic()
            at = max(self.free_at, now)
            self.free_at = at + self.seconds
        interruption.sleep(at - now)


@cache
def api_pace(connection: str, per_second: float) -> _ApiPace:
    """The one pace of a connection in this process."""
    return _ApiPace(per_second)
