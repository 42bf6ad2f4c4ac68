"""The real world, made to fail: no space, no permission, sudden death."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from polster_core.testing import projects

_PR_CAPBSET_DROP = 24
_OVERRIDES = (1, 2, 3)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER


def python(
    *args: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    setup: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run this Python; `setup` runs in the child just before."""
    return run([sys.executable, *args], cwd=cwd, env=env, setup=setup)


def run(
    args: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    setup: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program without a terminal and return what it said.

    One with a `setup` writes no byte code: what a limit cuts short would be read by others.
    """
    limits = {"PYTHONDONTWRITEBYTECODE": "1"} if setup else {}
    return subprocess.run(
        args,
        check=False,
        cwd=cwd,
        env={**os.environ, **limits, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        preexec_fn=setup,
    )


def bound_by_permissions() -> None:
    """Make even root respect file permissions from the next exec on."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in _OVERRIDES:
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


def no_file_longer_than(size: int) -> Callable[[], None]:
    """Make every write beyond `size` bytes of a file fail, as on a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def polster(
    *args: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    setup: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `polster` as a user without a terminal does."""
    return python("-m", "polster_core", *args, cwd=cwd, env=env, setup=setup)


def polster_here(
    *args: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `polster` in this process, where what it imports is imported already.

    Not for commands that hand over to the project's Python: this process would become it.
    """
    done = projects.polster(cwd, *args, env=env)
    return subprocess.CompletedProcess(["polster", *args], done.code, done.out, done.err)


def stand_in(folder: Path, name: str, script: str) -> Path:
    """Put a program on a PATH of its own: a shell script that stands in for the real one."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return program
