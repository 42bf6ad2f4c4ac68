"""A PostgreSQL of the tests' own, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2

from tests.services import free_port

USER, PASSWORD = "ann", "s3cret: 'word' 100% @ \\"
_DEBIAN = "/usr/lib/postgresql"
_UNPRIVILEGED = "postgres"
"""Who runs it where the tests are root's: PostgreSQL refuses to be."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    log: Path
    start: tuple[str | Path, ...]
    """What starts it, and waits until it answers."""

    def url(self, database: str, password: str = PASSWORD) -> str:
        """Return what DAGSTER_POSTGRES_URL says."""
        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def restart(self) -> None:
        """Kill it as `kill -9` does, and start it again."""
        stop = (*self.start[:-1], "-m", "immediate", "stop")
        _run(*stop)
        _run(*self.start)

    def connections(self, database: str) -> int:
        """Return how often somebody has connected to a database."""
        return self.log.read_text("utf-8").count(f"authorized: user={USER} database={database}")

    def query(self, text: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute a statement; return its rows, if it has any."""
        address = {"host": "127.0.0.1", "port": self.port, "dbname": database}
        with closing(psycopg2.connect(**address, user=USER, password=PASSWORD)) as link:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(text)
                return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def running() -> Iterator[Server]:
    """Run a server on a free port."""
    where, port = programs(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="polster-postgres-"))
    data, secret, log = folder / "data", folder / "password", folder / "log"
    secret.write_text(PASSWORD, encoding="utf-8")
    if os.geteuid() == 0:
        for path in (folder, secret):
            shutil.chown(path, _UNPRIVILEGED, _UNPRIVILEGED)
    options = (
        f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c log_connections=on"
    )
    cluster = ["-D", str(data), "-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]
    try:
        _run(where / "initdb", *cluster, "--locale=C.UTF-8", f"--pwfile={secret}")
        start = (where / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        _run(*start)
        try:
            yield Server(port, log, start)
        finally:
            _run(where / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; Debian keeps them off the PATH."""
    found = sorted(Path(_DEBIAN).glob("*/bin/initdb"))
    program = str(found[-1]) if found else shutil.which("initdb")
    assert program, "the tests need PostgreSQL: apt-get install postgresql"
    return Path(program).parent


def _run(*command: str | Path) -> None:
    who = {"user": _UNPRIVILEGED, "group": _UNPRIVILEGED} if os.geteuid() == 0 else {}
    with tempfile.TemporaryFile("w+") as said:  # the server keeps a pipe open
        done = subprocess.run(command, check=False, cwd="/", stdout=said, stderr=said, **who)  # type: ignore[call-overload]
        said.seek(0)
        assert done.returncode == 0, said.read()
