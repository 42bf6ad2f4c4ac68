"""What all servers need that the tests start: a port of their own, and somebody who waits."""

from __future__ import annotations

import socket
import subprocess
import time

_READY_SECONDS = 300.0


def free_port() -> int:
    """Return a port that nothing is bound to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
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
