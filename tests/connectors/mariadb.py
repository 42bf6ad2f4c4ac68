"""MariaDB, started for the tests on a free port, as a user without rights."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services import free_port
from tests.storage.proxies import Proxy

USER, PASSWORD = "reader", 'a s3cret\'s "pass"'
_READY_SECONDS = 300.0


@dataclass(frozen=True)
class MariaDB:
    """A running server with a user who may read its database `shop`."""

    folder: Path
    port: int

    @property
    def authority(self) -> Path:
        """Return the certificate that has signed the server's."""
        return self.folder / "ca.pem"

    def variables(self, **changed: Any) -> dict[str, Any]:
        """Return the variables of its connection."""
        return {
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": self.port,
            "MYSQL_USER": USER,
            "MYSQL_PASSWORD": f"'{PASSWORD.replace(chr(39), chr(92) + chr(39))}'",
            "MYSQL_DATABASE": "shop",
            **changed,
        }

    def sql(self, *statements: str) -> list[list[str]]:
        """Run statements as root, and return the rows of the last."""
        done = subprocess.run(
            [*self._client(), "-e", ";\n".join(statements)],
            check=False,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def empty(self) -> None:
        """Drop all tables."""
        self.sql("DROP DATABASE shop", "CREATE DATABASE shop CHARACTER SET utf8mb4")

    def session(self) -> subprocess.Popen[str]:
        """Start a client that runs what is written to it."""
        return subprocess.Popen(
            self._client(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, encoding="utf-8"
        )

    def _client(self) -> list[str]:
        charset = "--default-character-set=utf8mb4"
        socket_ = f"--socket={self.folder / 'my.sock'}"
        return ["mariadb", "--no-defaults", charset, "-N", "-B", "-u", "root", socket_, "shop"]


@contextmanager
def running(name: str = "mariadb") -> Iterator[MariaDB]:
    """Run a server in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix=f"polster-{name}-") as temporary:
        folder = Path(temporary)
        _certificates(folder)
        nobody = _as_nobody(folder)
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={folder / 'data'}"]
        install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run([*nobody, *install], check=True, capture_output=True)
        port = free_port()
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [*nobody, *_command(folder, port)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        try:
            yield _ready(MariaDB(folder, port), server)
        finally:
            server.terminate()
            server.wait()


def _command(folder: Path, port: int) -> list[str | Path]:
    return [
        shutil.which("mariadbd") or "/usr/sbin/mariadbd",
        "--no-defaults",
        f"--datadir={folder / 'data'}",
        f"--socket={folder / 'my.sock'}",
        f"--pid-file={folder / 'my.pid'}",
        "--bind-address=127.0.0.1",
        f"--port={port}",
        "--skip-log-bin",
        "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0",
        f"--ssl-ca={folder / 'ca.pem'}",
        f"--ssl-cert={folder / 'server.pem'}",
        f"--ssl-key={folder / 'server.key'}",
    ]


def _ready(server: MariaDB, process: subprocess.Popen[bytes]) -> MariaDB:
    end = time.monotonic() + _READY_SECONDS
    ping = ["mariadb", "--no-defaults", f"--socket={server.folder / 'my.sock'}", "-u", "root"]
    while subprocess.run([*ping, "-e", "SELECT 1"], check=False, capture_output=True).returncode:
        assert process.poll() is None, (server.folder / "log").read_text()
        assert time.monotonic() < end, "MariaDB does not start"
        time.sleep(0.1)
    quoted = PASSWORD.replace("'", "''")
    statements = (
        "CREATE DATABASE shop CHARACTER SET utf8mb4",
        f"CREATE USER {USER}@'%' IDENTIFIED BY '{quoted}'",
        f"GRANT SELECT ON shop.* TO {USER}@'%'",
    )
    subprocess.run([*ping, "-e", ";".join(statements)], check=True)
    return server


def _certificates(folder: Path) -> None:
    """Make an authority, and a certificate of localhost that it has signed."""
    settings = folder / "openssl.cnf"
    settings.write_text("[san]\nsubjectAltName=DNS:localhost\n")
    signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile openssl.cnf"
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tests -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        f"x509 -req -in server.csr {signed} -days 2 -extensions san -out server.pem",
    ):
        arguments = ["openssl", *command.split()]
        subprocess.run(arguments, check=True, capture_output=True, cwd=folder)


def _as_nobody(folder: Path) -> list[str]:
    """Return what lets root start a program as nobody, who gets the folder."""
    if os.geteuid() != 0:
        return []
    folder.chmod(0o755)
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@contextmanager
def broken_after(proxy: Proxy, received: int, *, for_good: bool) -> Iterator[None]:
    """Break all connections of a proxy once they have brought so many bytes."""
    over = threading.Event()

    def watch() -> None:
        _until(lambda: proxy.received >= received or over.is_set())
        proxy.refusing = True
        if not for_good:
            time.sleep(0.2)
            proxy.refusing = False

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)
