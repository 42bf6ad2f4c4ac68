"""What the webserver and the daemon of `--ui` run in.

    python -m polster_runtime.dagster.ui_child NAME MODULE ARGUMENTS

Holds the lock NAME, so that there is one of each; and ends, with all that it has started, when
`--ui` is gone, however that ended: its end of the pipe is closed then.
"""

import os
import runpy
import signal
import sys
import time
from _thread import interrupt_main
from pathlib import Path
from threading import Thread

from filelock import FileLock, Timeout

from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster.idle import wait_longer

STOP_SECONDS = 15.0
"""How long they, and the runs that they have started, have to end by themselves."""


def lock_of(name: str) -> FileLock:
    """The lock that a living webserver or daemon of this DAGSTER_HOME holds."""
    return FileLock(dagster_home() / "ui" / f"{name}.lock")


def main() -> None:
    """Run a module as a program, as long as the process that has started this one lives."""
    name, module, *arguments = sys.argv[1:]
    lock = lock_of(name)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        sys.exit(f"another {name} of this DAGSTER_HOME is running")
    pipe = os.dup(0)
    with Path(os.devnull).open() as nothing:  # what is started here must not read from the pipe
        os.dup2(nothing.fileno(), 0)
    Thread(target=_end_after, args=(pipe,), daemon=True).start()
    sys.argv = [module, *arguments]
    wait_longer()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_after(pipe: int) -> None:
    """End this process and its group when the other end of a pipe is closed."""
    os.read(pipe, 1)
    if sys.platform == "win32":
        interrupt_main()
        time.sleep(STOP_SECONDS)
        os._exit(1)
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
