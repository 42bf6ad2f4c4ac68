"""What all servers need that the tests start: a port of their own, and somebody who waits."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from contextlib import suppress

_READY_SECONDS = 300.0
_LOWEST, _HIGHEST = 12_000, 32_000


def free_port() -> int:
    """Return a port that nothing is bound to, nor will be soon.

    It is below those that systems give to connections and to whoever asks for any port: else one
    of them may have it before the server that it is for is there, or where nobody is to listen.
    """
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server listens on its port."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{process.args!r} did not start")
