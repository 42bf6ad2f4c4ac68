"""The UI and the daemon of a generated project, and who hears its alerts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.generated.projects import PROGRAMS, Generated

TIMEOUT = 600.0
"""Seconds after which something hangs, on a busy machine."""
READY = "Dagster UI: "


@dataclass
class Daemon:
    """`run_polster.py --no-materialize --ui`, running."""

    shop: Generated
    process: subprocess.Popen[str]
    address: str = ""

    def processes(self) -> dict[int, str]:
        """Return the command lines of all that has been started in the project."""
        return processes_of(self.shop)

    @property
    def log(self) -> str:
        """What the daemon has logged."""
        return (self.shop.root / ".dagster" / "ui" / "daemon.log").read_text("utf-8")

    def kill(self, containing: str = "") -> None:
        """Kill all of them at once, or those whose command line contains a text."""
        for pid in [pid for pid, command in self.processes().items() if containing in command]:
            os.kill(pid, signal.SIGKILL)


def processes_of(shop: Generated) -> dict[int, str]:
    """Return the command lines of what has been started in a project."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{shop.root}/src".encode() in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(folder.name)] = command
        except OSError:  # it has ended meanwhile
            continue
    return found


def code_servers(shop: Generated) -> set[int]:
    """Return the processes that have loaded a project, for webserver, daemon and their runs."""
    return {pid for pid, command in processes_of(shop).items() if "dagster api grpc" in command}


@contextmanager
def daemon(shop: Generated, **env: str) -> Iterator[Daemon]:
    """Start the UI and the daemon of a project; they are gone when the block ends."""
    process = shop.start("run_polster.py", "--no-materialize", "--ui", env=env)
    running = Daemon(shop, process)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith(READY), line
        running.address = line.removeprefix(READY).partition("/asset-groups")[0]
        yield running
        process.terminate()
        process.wait(TIMEOUT)
    finally:
        running.kill()
        process.communicate()


def wait_for(there: Callable[[], bool], seconds: float = TIMEOUT) -> None:
    """Wait until something is there; looking takes a quarter of the time at most.

    What takes seconds to look at would otherwise slow down what is waited for.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if there():
            return
        now = time.monotonic()
        assert now < deadline, "it never came"
        time.sleep(max(0.2, 3 * (now - began)))


def statuses(shop: Generated, home: str = ".dagster") -> list[str]:
    """Return the states of all runs in the history of a project, the newest first.

    Read out of its file: to ask Dagster would take the processor from what is waited for.
    """
    file = shop.root / home / "history" / "runs.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(file, timeout=TIMEOUT)) as history:
        return [state for (state,) in history.execute("SELECT status FROM runs ORDER BY id DESC")]


@dataclass
class Listener:
    """A webhook: what it was told, and its address as Apprise writes it."""

    url: str = ""
    messages: list[Mapping[str, str]] = field(default_factory=list)

    def said(self) -> str:
        """Return all messages as one text."""
        return "\n".join(f"{one['title']}\n{one['message']}" for one in self.messages)


@contextmanager
def listening(user: str = "") -> Iterator[Listener]:
    """Listen on this machine while the block runs."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.messages.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener.url = f"json://{user}127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield listener
        finally:
            server.shutdown()


def follow(shop: Generated) -> None:
    """Give a project a listener of its own."""
    shutil.copyfile(PROGRAMS / "heard.py", shop.root / "src" / "heard.py")
    group = '[project.entry-points."polster_runtime.listeners"]\nheard = "heard"'
    shop.edit("pyproject.toml", "[build-system]", f"{group}\n\n[build-system]")


def followed(shop: Generated) -> list[list[str]]:
    """Return what that listener has heard: what happened, the page of the run, lines."""
    file = shop.root / "data" / "heard.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
