"""Let a copy of this process fail, be interrupted or be killed at its n-th file operation."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

OPERATIONS = ("rename", "replace", "mkdir", "write_bytes", "write_text", "hardlink_to", "open")
"""The methods of Path through which Polster changes the disk."""


def no_space() -> NoReturn:
    """Fail as a full disk does."""
    raise OSError(28, "No space left on device")


def interrupt() -> None:
    """Be interrupted as by Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def die() -> None:
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def forked(
    work: Callable[[], int | None], fail: Callable[[], object], attempt: int
) -> tuple[int, str]:
    """Run `work` in a copy of this process, in which the n-th file operation calls `fail` first.

    Returns its exit code as `subprocess` does, and what was printed. A copy starts at once, so
    that a test can go through all operations.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(work, fail, attempt, writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        printed = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), printed


def make_fragile(fail: Callable[[], object], attempt: int) -> None:
    """Let the n-th file operation of this process, from now on, call `fail` first."""
    counter = iter(range(10_000))
    for name in OPERATIONS:
        setattr(Path, name, _fragile(getattr(Path, name), counter, fail, attempt))


def attempts() -> Iterator[int]:
    """Yield the numbers of file operations; the caller ends when there was none of that number."""
    yield from range(300)
    raise AssertionError("the work never ended without failing")


def _child(
    work: Callable[[], int | None], fail: Callable[[], object], attempt: int, writer: int
) -> NoReturn:
    code = 70
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        counter = iter(range(10_000))
        for name in OPERATIONS:
            setattr(Path, name, _fragile(getattr(Path, name), counter, fail, attempt))
        code = work() or 0
    except BaseException:  # noqa: BLE001 - a copy of the test must end here, whatever happens
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _fragile(
    function: Callable[..., Any], counter: Iterator[int], fail: Callable[[], object], attempt: int
) -> Callable[..., Any]:
    def call(self: Path, *args: Any, **kwargs: Any) -> Any:
        mode = args[0] if args else kwargs.get("mode", "r")
        reads = function.__name__ == "open" and not set("wax+") & set(mode)
        if not reads and next(counter) == attempt:
            fail()
        return function(self, *args, **kwargs)

    return call
