"""Signals that end a run: noticed at once, also while Polars computes or a source hangs.

Python itself hears of a signal only between two instructions of the main thread. Here a thread of
its own hears of it through a socket that the interpreter writes to.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread, current_thread, main_thread
from typing import NoReturn

from polster_runtime.config import interruption
from polster_runtime.storage.staging import discard_staged

END_SECONDS = 7.0
"""How long a process has to end by itself."""
LAST_WORDS_SECONDS = 1.0
"""How long what is to be done before the end may take."""
SAME_SECONDS = 0.5
"""A second signal within this time is the first one, which came on two ways."""
SHOW_CURSOR = "\x1b[?25h"

STOPS = {
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
}

_state = {"watching": False, "signal": 0}


def was_asked_by_person() -> bool:
    """Whether the process was told to stop with Ctrl-C, not from outside."""
    return _state["signal"] == signal.SIGINT


@contextmanager
def watch(before_end: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Notice the first signal in the block, and see to it that the process ends.

    The first one tells all threads to stop; END_SECONDS later, or at the second one, the process
    ends in whatever state it is, after `before_end`. Only the main thread can watch, and only once.
    """
    if _state["watching"] or current_thread() is not main_thread():
        yield
        return
    interruption.forget()
    _state.update(watching=True, signal=0)
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    Thread(target=_listen, args=(reading, before_end), name="signals", daemon=True).start()
    try:
        yield
    finally:
        _state["watching"] = False
        if not _state["signal"]:  # else the thread goes on until the process ends
            signal.set_wakeup_fd(before)
            writing.close()


def _listen(reading: socket.socket, before_end: Callable[[], None]) -> None:
    with reading:
        if not (first := _next_stop(reading, None)):
            return
        _state["signal"] = first
        interruption.interrupt()
        end = time.monotonic() + END_SECONDS
        time.sleep(SAME_SECONDS)
        reading.setblocking(False)
        with suppress(BlockingIOError):
            reading.recv(64)
        _next_stop(reading, end)
    end_now(before_end)


def _next_stop(reading: socket.socket, end: float | None) -> int:
    """The next signal that means to stop; 0 when there is none until then, or nobody watches."""
    while True:
        reading.settimeout(None if end is None else max(end - time.monotonic(), 0.01))
        try:
            heard = reading.recv(1)
        except TimeoutError:
            return 0
        if not heard or heard[0] in STOPS:
            return heard[0] if heard else 0


def end_now(before_end: Callable[[], None] = lambda: None) -> NoReturn:
    """End the process without its other threads: nothing else stops those that hang."""

    def last_words() -> None:
        with suppress(Exception):
            before_end()

    thread = Thread(target=last_words, daemon=True)
    thread.start()
    thread.join(LAST_WORDS_SECONDS)
    discard_staged()
    restore = SHOW_CURSOR if sys.stdout.isatty() else ""
    # Straight to the file: the terminal may be held by a thread that will not let go of it.
    os.write(2, f"{restore}error: interrupted; what was published before stays\n".encode())
    os._exit(130)
