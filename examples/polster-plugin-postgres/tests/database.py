"""A PostgreSQL of the tests' own, in a folder that is gone afterwards.

As a program it prints the variables of a project, and runs until its stdin is closed.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

USER, PASSWORD, NAME = "ada", "pass: 'word' 100% \\", "postgres"
ORDERS = """
CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(12, 2), changed timestamptz);
INSERT INTO orders SELECT n, n * 1.5, timestamptz '2026-01-01 00:00Z' + n * interval '1 hour'
FROM generate_series(1, 3) n;
"""
"""A table with three rows."""
_DEBIAN = "/usr/lib/postgresql"
_UNPRIVILEGED = "postgres"
"""Who runs it where the tests are root's: PostgreSQL refuses to be."""


@dataclass(frozen=True)
class Database:
    """A running server."""

    port: int

    @property
    def variables(self) -> dict[str, str]:
        """Return what a project needs."""
        return {
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(self.port),
            "POSTGRES_USER": USER,
            "POSTGRES_PASSWORD": PASSWORD,
            "POSTGRES_DATABASE": NAME,
        }

    def execute(self, text: str) -> None:
        """Execute statements."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=NAME
        ) as link:
            link.execute(text.encode())


@contextmanager
def running() -> Iterator[Database]:
    """Run a server on a free port."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="polster-postgres-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    data, secret, log = folder / "data", folder / "password", folder / "log"
    secret.write_text(PASSWORD, encoding="utf-8")
    _give_away(folder, secret)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    cluster = ["-D", str(data), "-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]
    try:
        _run(programs / "initdb", *cluster, "--locale=C.UTF-8", f"--pwfile={secret}")
        _run(programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        try:
            yield Database(port)
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs; Debian keeps them off the PATH."""
    found = sorted(Path(_DEBIAN).glob("*/bin/initdb"))
    program = str(found[-1]) if found else shutil.which("initdb")
    assert program, "the tests need PostgreSQL: apt-get install postgresql"
    return Path(program).parent


def _give_away(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, _UNPRIVILEGED, _UNPRIVILEGED)


def _run(*command: str | Path) -> None:
    who = {"user": _UNPRIVILEGED, "group": _UNPRIVILEGED} if os.geteuid() == 0 else {}
    with tempfile.TemporaryFile("w+") as said:  # the server keeps a pipe open
        done = subprocess.run(command, check=False, cwd="/", stdout=said, stderr=said, **who)  # type: ignore[call-overload]
        said.seek(0)
        assert done.returncode == 0, said.read()


if __name__ == "__main__":
    with running() as database:
        database.execute(ORDERS)
        sys.stdout.write(json.dumps(database.variables) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
