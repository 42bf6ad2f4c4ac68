"""The Dagster UI and the daemon: started together, started again, stopped together."""

import os
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from filelock import FileLock, Timeout

from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster.heartbeats import Heartbeats
from polster_runtime.dagster.instance import opened
from polster_runtime.dagster.lineage_page import lineage_page
from polster_runtime.dagster.recovery import settle
from polster_runtime.dagster.ui_child import STOP_SECONDS, lock_of
from polster_runtime.dagster.ui_service import Service
from polster_runtime.dagster.workspace import workspace_file
from polster_runtime.execution.report import say

FIRST_PORT = 3000
PORTS = 100
READY_SECONDS = 120.0
LEFT_SECONDS = STOP_SECONDS + 15.0
"""How long what a killed `--ui` has left may take to end."""
RESTARTS = 3
RESTARTS_SECONDS = 60.0
"""How often they are started again within how many seconds, before that is given up."""


class UIError(Exception):
    """The UI did not start; the message says where its log is, or what is in its way."""


@contextmanager
def only_one() -> Iterator[None]:
    """Keep others from opening the UI of this DAGSTER_HOME in the block.

    Raises UIError where it is open already.
    """
    _address().parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_address().with_name("open.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        _open_already()
    try:
        _address().unlink(missing_ok=True)  # of one that was killed
        yield
    finally:
        _address().unlink(missing_ok=True)
        lock.release()


def serve() -> None:
    """Start both, print the address when the page answers, and stop them on Ctrl-C.

    Raises UIError when one of them does not start, or ends by itself again and again.
    """
    try:
        with opened() as instance:
            settle(instance)
            for name in ("webserver", "daemon"):
                _wait_for_the_end_of(name)
            with _port() as port:
                _serve(port, Heartbeats(instance))
    except KeyboardInterrupt:
        say("stopped")


def _serve(port: int, heartbeats: Heartbeats) -> None:
    address = f"http://127.0.0.1:{port}"
    workspace = ["-w", str(workspace_file())]
    web = Service("webserver", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *workspace)
    daemon = Service("daemon", "polster_runtime.dagster.daemon", "run", *workspace)
    with ExitStack() as running:
        running.callback(web.stop)
        web.start()
        _wait_until_ready(web, address)
        running.callback(daemon.stop)
        daemon.start()
        page = lineage_page(address)
        _address().write_text(page, encoding="utf-8")
        taken = "" if port == FIRST_PORT else f" (port {FIRST_PORT} is taken)"
        say(f"Dagster UI: {page}{taken}   Ctrl-C stops it")
        _keep_running(heartbeats, web, daemon)


def _keep_running(heartbeats: Heartbeats, *services: Service) -> NoReturn:
    """Start again what ends. Raises UIError where that does not help."""
    restarts: list[float] = []
    while True:
        time.sleep(0.2)
        if advice := heartbeats.advice():
            say(advice)
        for service in services:
            if not service.has_ended():
                continue
            now = time.monotonic()
            restarts = [*(when for when in restarts if when > now - RESTARTS_SECONDS), now]
            if len(restarts) > RESTARTS:
                raise UIError(f"the {service.name} stops again and again: see {service.log}")
            service.start()
            say(f"the {service.name} has stopped and was started again: see {service.log}")


def _wait_for_the_end_of(name: str) -> None:
    """Wait for what a killed `--ui` has left: it ends by itself. Raises UIError if not."""
    with suppress(Timeout), lock_of(name).acquire(blocking=False):
        return
    say(f"the {name} of the last --ui is ending; waiting for it")
    try:
        with lock_of(name).acquire(timeout=LEFT_SECONDS):
            return
    except Timeout:
        raise UIError(f"another {name} of {dagster_home()} is running: stop it first") from None


def _open_already() -> NoReturn:
    try:
        page = _address().read_text("utf-8")
    except OSError:
        page = "it is starting"
    raise UIError(f"the Dagster UI of this project is open already: {page}") from None


def _address() -> Path:
    """The file with the address of the UI that is open."""
    return dagster_home() / "ui" / "address"


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


def _wait_until_ready(webserver: Service, address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and not webserver.has_ended():
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise UIError(f"the webserver did not start: see {webserver.log}")
