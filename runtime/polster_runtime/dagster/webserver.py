"""The Dagster UI and the daemon, started and stopped together."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock, Timeout

from polster_runtime.config.paths import dagster_home, project_root
from polster_runtime.dagster.recovery import settle
from polster_runtime.execution.report import say

FIRST_PORT = 3000
PORTS = 100
READY_SECONDS = 120.0
STOP_SECONDS = 15.0


class UIError(Exception):
    """The UI did not start; the message says where its log is."""


def serve() -> None:
    """Start both, print the address when the page answers, and stop them on Ctrl-C.

    Raises UIError when one of them does not start, or ends by itself.
    """
    try:
        with dg.DagsterInstance.get() as instance:
            settle(instance)
        with _port() as port:
            _serve(port)
    except KeyboardInterrupt:
        say("stopped")


def _serve(port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    workspace = ["-w", str(project_root() / "workspace.yaml")]
    web = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *workspace]
    daemon = ["dagster._daemon", "run", *workspace]
    with _process("webserver", web) as webserver:
        _wait_until_ready(webserver, address)
        with _process("daemon", daemon) as automation:
            taken = "" if port == FIRST_PORT else f" (port {FIRST_PORT} is taken)"
            say(f"Dagster UI: {address}{taken}   Ctrl-C stops it")
            while webserver.poll() is None and automation.poll() is None:
                time.sleep(0.2)
            ended = "webserver" if webserver.poll() is not None else "daemon"
            raise UIError(f"the {ended} has stopped: see {_log(ended)}")


@contextmanager
def _port() -> Iterator[int]:
    """The first free port from 3000 on, kept from other projects that look for one just now.

    Raises UIError when there is none among a hundred.
    """
    user = getattr(os, "getuid", int)()
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        lock = FileLock(Path(tempfile.gettempdir()) / f"dagster-ui-{user}-{port}.lock")
        with suppress(Timeout), lock.acquire(blocking=False):
            if _is_free(port):
                yield port
                return
    raise UIError(f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def _process(name: str, module: list[str]) -> Iterator[subprocess.Popen[Any]]:
    """A Python module in a process group of its own, stopped when the block ends."""
    _log(name).parent.mkdir(parents=True, exist_ok=True)
    own_group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    with _log(name).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            # Dagster reads .env where it starts, and lets it win over the shell: not here.
            cwd=dagster_home(),
            env={**os.environ, "DAGSTER_HOME": str(dagster_home())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **own_group,
        )
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[Any]) -> None:
    """Stop a process and all that it has started, runs as well.

    What does not end by itself, or before Ctrl-C is pressed once more, is killed. What a process
    that has died has left goes on.
    """
    if process.poll() is not None:
        return
    try:
        if sys.platform == "win32":
            process.send_signal(signal.CTRL_BREAK_EVENT)
            process.wait(STOP_SECONDS)
        else:
            deadline = time.monotonic() + STOP_SECONDS
            while _signal_all(process, signal.SIGTERM) and time.monotonic() < deadline:
                time.sleep(0.1)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if sys.platform == "win32":
            process.kill()
        else:
            _signal_all(process, signal.SIGKILL)
        process.wait()


def _signal_all(process: subprocess.Popen[Any], number: int) -> bool:
    """Send a signal to a process and all that it has started; whether any of it is there."""
    process.poll()
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _wait_until_ready(webserver: subprocess.Popen[Any], address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and webserver.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise UIError(f"the webserver did not start: see {_log('webserver')}")


def _log(name: str) -> Path:
    return dagster_home() / "ui" / f"{name}.log"
