"""Runs of Python that start at once: forked off one that has imported what its runs import.

Most of the time of a short run goes by while Dagster and Polars are imported, the same in each. A
server for each interpreter learns from every run which installed modules it needed, imports them
itself, and gives each run a process of its own, which begins and ends as Python does. Nothing of a
project is kept: its modules are imported by each run.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

Done = subprocess.CompletedProcess[str]

TIMEOUT = 600.0
"""Seconds after which something hangs."""

_SERVER = Path(__file__).with_name("warm_server.py")
_CLIENT = Path(__file__).with_name("warm_client.py")
_SOCKET = "warm"


def run(
    interpreter: Path,
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    seconds: float = TIMEOUT,
) -> Done:
    """Return what `python ARGS` says and its exit code; a process of its own, without a terminal.

    Raises:
        subprocess.TimeoutExpired: It takes longer than `seconds`.

    """
    server, _ = _server(interpreter)
    assert server.stdin
    assert server.stdout
    request = {"args": list(args), "cwd": str(cwd), "env": dict(env)}
    timer = threading.Timer(seconds, os.killpg, (server.pid, signal.SIGKILL))
    timer.start()
    try:
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
    finally:
        timer.cancel()
    if not answer:
        _server.cache_clear()
        raise subprocess.TimeoutExpired(list(args), seconds)
    return Done([str(interpreter), *args], *json.loads(answer))


def stand_in(program: Path, interpreter: Path, cold: Path, source: Path | None = None) -> None:
    """Write a program that does what the Python of a project does, forked off a warm one.

    It keeps its stdin, stdout, stderr and exit code, and passes signals on. What a warm Python is
    not made for, `cold` does; `source` is the folder of the project's code, unless each caller has
    that in PYTHONPATH.
    """
    command = shlex.join(map(str, client(interpreter, cold, source or "")))
    program.unlink(missing_ok=True)
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def client(interpreter: Path, cold: Path, source: Path | str) -> list[Path | str]:
    """Return the command of such a program, which the arguments of Python follow."""
    _, folder = _server(interpreter)
    return [interpreter, "-I", "-S", _CLIENT, folder / _SOCKET, cold, source]


@cache
def _server(interpreter: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start it; it ends with the tests. Returns the folder of its socket as well."""
    folder = Path(tempfile.mkdtemp())  # the name of a socket is short
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    env |= {"PYTHONDONTWRITEBYTECODE": ""}
    server = subprocess.Popen(
        [interpreter, _SERVER, folder / _SOCKET],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    atexit.register(_end, server, folder)
    while not (folder / _SOCKET).exists():
        assert server.poll() is None, f"{interpreter} does not start"
        time.sleep(0.01)
    return server, folder


def _end(server: subprocess.Popen[str], folder: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
    shutil.rmtree(folder, ignore_errors=True)
