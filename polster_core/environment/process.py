"""Other programs: run them, watch them, and give them a clean environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from polster_core.errors import PolsterError

_KEPT = 200
"""Lines of a program's output that are remembered."""
_TIMEOUT = 10.0
"""Seconds that an interrupted program gets to tidy up."""
_OF_OTHERS = (
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "__PYVENV_LAUNCHER__",
    # These would make installers write somewhere else than into the project's environment.
    "PIP_PREFIX",
    "PIP_TARGET",
    "PIP_USER",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    # Set while a git hook runs; they would make git work on that repository.
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_WORK_TREE",
)

Listener = Callable[[str], object]


class InterruptedProgramError(PolsterError):
    """Ctrl-C came while a program was running; it has ended."""

    exit_code = 130


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a program ended; `code` is negative if a signal ended it, as in `subprocess`."""

    code: int
    lines: tuple[str, ...]

    @property
    def ending(self) -> str:
        """Say how it ended: `exit code 2`, `killed by signal 9`."""
        return f"killed by signal {-self.code}" if self.code < 0 else f"exit code {self.code}"

    def last_lines(self, count: int = 6) -> tuple[str, ...]:
        """Return the last lines that say something."""
        telling = [line for line in self.lines if line.strip() and "[notice]" not in line]
        return tuple(telling[-count:])


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    listener: Listener | None = None,
) -> Finished:
    """Run a program without input and return how it ended and the last lines that it printed.

    `listener` gets every line as it comes. Raises PolsterError if it cannot be started, and
    InterruptedProgramError at Ctrl-C, once the program has ended.
    """
    lines: deque[str] = deque(maxlen=_KEPT)
    process: subprocess.Popen[str] | None = None
    try:
        with _held_back():  # or nobody would end what has just begun
            process = _start(command, cwd, clean_environment() if env is None else env)
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if listener is not None:
                listener(line.rstrip())
        code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
    except KeyboardInterrupt as interruption:  # which has reached the program as well
        if process is not None:
            _end(process, process.terminate, process.kill)
        raise InterruptedProgramError("interrupted") from interruption
    except BaseException:
        if process is not None:
            process.terminate()
            _end(process, process.kill)
        raise
    return Finished(code=code, lines=tuple(lines))


def _start(
    command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - the callers' commands are ours
            [str(part) for part in command],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise PolsterError(f"{command[0]} cannot be started: {error.strerror}") from error


@contextmanager
def _held_back() -> Iterator[None]:
    """Let signals that interrupt take effect at the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: handler
        for name in ("SIGINT", "SIGTERM", "SIGHUP")
        if (number := getattr(signal, name, None)) and callable(handler := signal.getsignal(number))
    }
    for number in before:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in came:
        signal.raise_signal(number)


def clean_environment(venv: Path | None = None) -> dict[str, str]:
    """Return our environment variables without those that point to another Python.

    With `venv`, programs find that environment first, as after its activation.
    """
    found = {name: value for name, value in os.environ.items() if name not in _OF_OTHERS}
    if venv is not None:
        found["VIRTUAL_ENV"] = str(venv)
        found["PATH"] = os.pathsep.join((str(scripts(venv)), found.get("PATH", os.defpath)))
    return found


def scripts(venv: Path) -> Path:
    """Return the folder of an environment's programs."""
    return venv / ("Scripts" if sys.platform == "win32" else "bin")


def is_alive(pid: int) -> bool:
    """Whether a process of this machine has that id."""
    if pid <= 0:
        return False
    if sys.platform == "win32":  # os.kill would end the process there
        import ctypes

        synchronize = 0x00100000
        handle = ctypes.windll.kernel32.OpenProcess(synchronize, 0, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end(process: subprocess.Popen[str], *harder: Callable[[], None]) -> None:
    """Wait for a program that was told to end, and tell it harder if it does not."""
    for tell in (*harder, None):
        with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            process.wait(_TIMEOUT)
            return
        if tell is not None:
            tell()
