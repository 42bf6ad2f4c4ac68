"""Ctrl-C while Polars computes.

Python hears of a signal only between two of its own instructions, and a query may take an hour.
Polars looks for Ctrl-C by itself, but not where Dagster has put its own handler.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from polster_runtime.storage.staging import discard_staged

GRACE_SECONDS = 5.0
"""How long a run has to end by itself."""
SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def end_soon_after_ctrl_c(before_end: Callable[[], None] = lambda: None) -> Iterator[None]:
    """End this process when the block goes on long after Ctrl-C; call `before_end` first."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    over = Event()
    Thread(target=_watch, args=(reading, over, before_end), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        writing.close()


def _watch(reading: socket.socket, over: Event, before_end: Callable[[], None]) -> None:
    with reading:
        if not reading.recv(1) or over.wait(GRACE_SECONDS):
            return
    with suppress(Exception):
        before_end()
    discard_staged()
    restore = SHOW_CURSOR if sys.stdout.isatty() else ""
    # Straight to the file: the terminal may be held by a thread that will not let go of it.
    os.write(2, f"{restore}error: interrupted; what was published before stays\n".encode())
    os._exit(130)
