"""Whether this process has been told to stop: by Ctrl-C, SIGTERM, or Terminate in the UI.

After that nothing is published, nothing is tried again, and no source waits. Code that takes long
looks here now and then: between two pages, chunks or files.
"""

import threading


class Interrupted(BaseException):
    """The run was told to stop. As KeyboardInterrupt does, it passes `except Exception`."""


_told = threading.Event()


def interrupt() -> None:
    """Tell all threads of this process to stop."""
    _told.set()


def forget() -> None:
    """Forget that: another run starts in this process."""
    _told.clear()


def is_interrupted() -> bool:
    """Whether this process has been told to stop."""
    return _told.is_set()


def stop_if_interrupted() -> None:
    """Raise Interrupted when this process has been told to stop."""
    if _told.is_set():
        raise Interrupted


def sleep(seconds: float) -> None:
    """Wait as time.sleep does, but no longer than until the process is told to stop.

    Raises Interrupted then.
    """
    if _told.wait(max(seconds, 0)):
        raise Interrupted
