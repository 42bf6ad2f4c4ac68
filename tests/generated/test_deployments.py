"""What a deployment starts, as plain processes: the commands, health checks and files are its own.

The services of compose.yaml run beside each other with a real PostgreSQL; only addresses, ports and
folders are those of this machine. nginx is the real one, too.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from polster_core.testing import polster
from tests.generated.conftest import also, maker
from tests.generated.projects import Generated, told
from tests.generated.ui import UI, end_of, held, launch
from tests.generated.warm import TIMEOUT
from tests.postgres import Server, programs, running
from tests.quality.daemon import wait_for
from tests.services import free_port
from tests.services import wait_for as wait_for_port

pytestmark = pytest.mark.slow

DRAIN = ("-m", "polster_runtime.dagster.drain")


@dataclass(frozen=True)
class Deployed:
    """The services of a compose.yaml that are running."""

    shop: Generated
    services: Mapping[str, Any]
    env: Mapping[str, str]
    places: Mapping[str, str]
    port: int
    server: Server

    def words(self, command: list[str]) -> list[str]:
        """Return a command for this machine in place of a container."""
        found = []
        for word in command:
            for there, here in self.places.items():
                word = word.replace(there, here)  # noqa: PLW2901 - the same word
            found.append(word)
        return found

    def healthy(self, name: str) -> bool:
        """Return what the health check of a service says."""
        _, *command = self.services[name]["healthcheck"]["test"]
        program, *rest = self.words(command)
        done = self.shop.tool(program, *rest, env=self.env)
        return done.returncode == 0

    def drain(self, minutes: str) -> Any:
        """Wait for runs as deploy/docker/update.sh does."""
        return self.shop.python(*DRAIN, "--minutes", minutes, env=self.env)


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Iterator[Deployed]:
    """Return the services of a project, healthy, with a source that can be held."""
    also(runtime, "postgres", "dagster-postgres>=0.29,<0.30")
    folder = tmp_path_factory.mktemp("deployed")
    shop = maker(folder, runtime, templates)()
    shop.place("bronze_held", "held_source")
    polster(shop.root, "add-deploy", "docker").succeeded()
    services = yaml.safe_load((shop.root / "compose.yaml").read_text("utf-8"))["services"]
    home, code, web = folder / "home", free_port(), free_port()
    home.mkdir()
    workspace = shop.root / "deploy/docker/workspace.yaml"
    there = workspace.read_text("utf-8")
    workspace.write_text(there.replace("host: code, port: 4000", f"host: 127.0.0.1, port: {code}"))
    image = (shop.root / "Dockerfile").read_text("utf-8")
    (default,) = [line for line in image.splitlines() if line.startswith("CMD ")]
    with running() as server, ExitStack() as stack:
        server.query("CREATE DATABASE dagster")
        env = {
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": server.url("dagster"),
            "PROJECT_ROOT": str(shop.root),
            "AUTOMATION_ENABLED": "false",
        }
        places = {
            "/app": str(shop.root),
            "4000": str(code),
            "3000": str(web),
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - of a container
        }
        one = Deployed(shop, services, env, places, web, server)
        commands = {"code": yaml.safe_load(default.removeprefix("CMD "))}
        for name in ("webserver", "daemon"):
            commands[name] = services[name]["command"]
        wait_for_port(code, stack.enter_context(started(one, "code", commands["code"])))
        wait_for(lambda: one.healthy("code"))
        wait_for_port(web, stack.enter_context(started(one, "webserver", commands["webserver"])))
        stack.enter_context(started(one, "daemon", commands["daemon"]))
        # Its own health check takes seconds of work each time.
        wait_for(lambda: server.query("SELECT 1 FROM daemon_heartbeats", "dagster") != [])
        yield one


@contextmanager
def started(one: Deployed, name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a service, and end it as `docker stop` does."""
    log = (Path(one.env["DAGSTER_HOME"]) / f"{name}.log").open("wb")
    process = subprocess.Popen(
        [one.shop.root / "deploy/start.sh", *one.words(command)],
        cwd=one.shop.root,
        env=one.shop.variables(one.env),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT)
        log.close()


def test_all_services_are_healthy_and_run(deployed: Deployed) -> None:
    """A run that the UI asks for is queued, started by the daemon and carried out by `code`."""
    one = ui_of(deployed)
    run_id = launch(one, "bronze_example")
    assert end_of(one, run_id, "SUCCESS", "FAILURE")["status"] == "SUCCESS"
    for name in ("code", "webserver", "daemon"):
        wait_for(partial(deployed.healthy, name))
    assert (Path(deployed.env["DAGSTER_HOME"]) / "dagster.yaml").exists()


def test_an_update_waits_for_runs(deployed: Deployed) -> None:
    """What runs is named when the time is over; when it has ended, the code can be replaced."""
    one = ui_of(deployed)
    with held(one):
        run_id = launch(one, "bronze_held")
        end_of(one, run_id, "STARTED")
        done = deployed.drain("0.01")
        assert (done.returncode, done.stdout) == (1, f"waiting for {run_id}\n"), told(done)
        assert done.stderr == f"error: still running after 0.01 min: {run_id}\n"
    done = deployed.drain("2")
    assert done.returncode == 0, told(done)
    assert done.stdout.splitlines()[-1] == "no run is under way"
    assert one.ask(STATUS, id=run_id)["runOrError"]["status"] == "SUCCESS"


def test_a_history_can_be_migrated(deployed: Deployed) -> None:
    """`dagster instance migrate` works on the history that the project's own class opens."""
    done = deployed.shop.tool("dagster", "instance", "migrate", env=deployed.env)
    assert done.returncode == 0, told(done)


def test_a_history_is_restored_from_its_backup(deployed: Deployed) -> None:
    """What `pg_dump` writes while everything runs, `pg_restore` makes the same runs of."""
    runs, server = "SELECT run_id, status FROM runs ORDER BY run_id", deployed.server
    before = server.query(runs, "dagster")
    assert before
    dump: list[str | Path] = [programs() / "pg_dump", "-Fc", "-d", server.url("dagster")]
    saved = subprocess.run(dump, check=True, capture_output=True).stdout
    server.query("CREATE DATABASE restored")
    restore: list[str | Path] = [programs() / "pg_restore", "-d", server.url("restored")]
    subprocess.run(restore, check=True, input=saved, capture_output=True)
    assert server.query(runs, "restored") == before


def test_without_a_history_that_can_be_reached(deployed: Deployed) -> None:
    """One line, no traceback, and the update stops."""
    env = {**deployed.env, "DAGSTER_POSTGRES_URL": f"postgresql://a:b@127.0.0.1:{free_port()}/x"}
    done = deployed.shop.python(*DRAIN, env=env)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_the_proxy_asks_for_a_login(deployed: Deployed, tmp_path: Path) -> None:
    """Nobody sees the UI without one; with one, also its WebSocket."""
    with proxied(deployed, tmp_path) as address:
        assert status(address) == 401
        assert status(address, "ann:wrong") == 401
        assert status(address, "ann:right") == 200
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = base64.b64encode(os.urandom(16)).decode()
        graphql = {**upgrade, "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": "graphql-ws"}
        path = address.replace("/server_info", "/graphql")
        assert status(path, "ann:right", graphql) == 101
        assert status(path, "", graphql) == 401


STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def ui_of(one: Deployed) -> UI:
    """Return what asks the webserver."""
    address = f"http://127.0.0.1:{one.port}"
    nobody: Any = None
    return UI(one.shop, nobody, [], address, address, one.port)


@contextmanager
def proxied(one: Deployed, folder: Path) -> Iterator[str]:
    """Run nginx with the deployment's file, a certificate and a password; yield an address."""
    port, secrets = free_port(), folder / "secrets"
    secrets.mkdir()
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj"]
    files = ["-keyout", f"{secrets}/key.pem", "-out", f"{secrets}/certificate.pem"]
    subprocess.run([*make, "/CN=localhost", *files], check=True, capture_output=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "right"], check=True, capture_output=True, text=True
    )
    (secrets / "htpasswd").write_text(f"ann:{hashed.stdout}", encoding="utf-8")
    server = (one.shop.root / "deploy/docker/nginx.conf").read_text("utf-8")
    for there, here in {
        "/etc/nginx/secrets": str(secrets),
        "8443": f"127.0.0.1:{port}",
        "webserver:3000": f"127.0.0.1:{one.port}",
    }.items():
        assert there in server
        server = server.replace(there, here)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n",
        encoding="utf-8",
    )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"  # Debian keeps it off the PATH of most
    process = subprocess.Popen([nginx, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield f"https://127.0.0.1:{port}/server_info"
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def status(address: str, login: str = "", headers: Mapping[str, str] | None = None) -> int:
    """Return the status of an answer."""
    request = urllib.request.Request(address, headers=dict(headers or {}))  # noqa: S310
    if login:
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
