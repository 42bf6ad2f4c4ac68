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
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

Done = subprocess.CompletedProcess[str]

TIMEOUT = 600.0
"""Seconds after which something hangs."""

_SERVER = Path(__file__).with_name("warm_server.py")


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
    server = _server(interpreter)
    assert server.stdin
    assert server.stdout
    learn = args[0] != "-m"  # a tool's modules are not those of a pipeline
    request = {"args": list(args), "cwd": str(cwd), "env": dict(env), "learn": learn}
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


@cache
def _server(interpreter: Path) -> subprocess.Popen[str]:
    """Start it; it ends with the tests."""
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    env |= {"PYTHONDONTWRITEBYTECODE": ""}
    server = subprocess.Popen(
        [interpreter, _SERVER],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
