"""Whether this process has been told to stop: by Ctrl-C, SIGTERM, or Terminate in the UI.

After that nothing is published, nothing is tried again, and no source waits. Code that takes long
looks here now and then: between two pages, chunks or files.
"""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Interrupted(BaseException):
    """The run was told to stop. As KeyboardInterrupt does, it passes `except Exception`."""


_told = threading.Event()
_asked: ContextVar[Callable[[], bool] | None] = ContextVar("asked", default=None)
"""What a worker asks that runs steps of several runs at once."""
ASK_SECONDS = 0.5
AGAIN_SECONDS = 0.05


@contextmanager
def apart(is_told: Callable[[], bool]) -> Iterator[None]:
    """Run a step in the block that can be told to stop without the others of this process."""
    token = _asked.set(is_told)
    try:
        yield
    finally:
        _asked.reset(token)


def raise_ignored_again() -> None:
    """Let Ctrl-C count also where Python cannot raise it, and only says that it was ignored.

    While a module is imported, for one, Python calls functions that nobody called.
    """

    def hook(ignored: "sys.UnraisableHookArgs") -> None:
        if ignored.exc_type is KeyboardInterrupt:
            threading.Timer(AGAIN_SECONDS, _press_ctrl_c).start()
        else:
            sys.__unraisablehook__(ignored)

    sys.unraisablehook = hook


def _press_ctrl_c() -> None:
    ident = threading.main_thread().ident
    if ident and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(ident, signal.SIGINT)  # it may wait for something
    else:
        _thread.interrupt_main()


def interrupt() -> None:
    """Tell all threads of this process to stop; a step that is apart tells nobody."""
    if _asked.get() is None:
        _told.set()


def forget() -> None:
    """Forget that: another run starts in this process."""
    _told.clear()


def is_interrupted() -> bool:
    """Whether this process, or the step of this thread, has been told to stop."""
    asked = _asked.get()
    return _told.is_set() or (asked is not None and asked())


def stop_if_interrupted() -> None:
    """Raise Interrupted when this process has been told to stop."""
    if is_interrupted():
        raise Interrupted


def sleep(seconds: float) -> None:
    """Wait as time.sleep does, but no longer than until the process is told to stop.

    Raises Interrupted then.
    """
    end = time.monotonic() + seconds
    while _asked.get() is not None and (left := end - time.monotonic()) > ASK_SECONDS:
        _told.wait(min(left, ASK_SECONDS))
        stop_if_interrupted()
    _told.wait(max(end - time.monotonic(), 0))
    stop_if_interrupted()
