"""Polster's own connectors pass the contract that strangers' connectors pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

from polster_core.testing import ConnectorContract, Source
from tests.connectors.http_server import Answer, Api, Asked, serving
from tests.connectors.mariadb import PASSWORD, MariaDB
from tests.connectors.ssh_servers import Sshd, new_key, sshd
from tests.generated import warm

ROWS = [{"id": number, "name": name} for number, name in enumerate(("Ada", "Bob", "Zoë"))]
TOKEN = "t0ken-of-the-contract"  # noqa: S105 - it is one for a moment


@pytest.fixture
def warm_python(runtime: Path, tmp_path: Path) -> Path:
    """Return what stands in for the Python of the project that the contract makes."""
    program = tmp_path / "python"
    warm.stand_in(program, runtime, runtime, tmp_path / "shop" / "src")
    return program


class TestMySQL(ConnectorContract):
    """A table of MariaDB."""

    name = "mysql"
    answers = MappingProxyType({"table": "contract"})

    @pytest.fixture
    def source(self, warm_python: Path, mariadb: MariaDB) -> Source:
        """Give a table of three rows."""
        mariadb.sql(
            "USE shop",
            "DROP TABLE IF EXISTS contract",
            "CREATE TABLE contract (id INT PRIMARY KEY, name VARCHAR(9))",
            "INSERT INTO contract VALUES (1, 'Ada'), (2, NULL), (3, 'Zoë')",
        )
        right = {name: str(value) for name, value in mariadb.variables().items()}
        return Source(
            python=warm_python,
            rows=3,
            variables={**right, "MYSQL_PASSWORD": PASSWORD},
            wrong={"MYSQL_PASSWORD": "wr0ng-and-secret"},
        )


class TestApi(ConnectorContract):
    """An API that asks for a token."""

    name = "api"
    answers = MappingProxyType({"url": "/orders", "auth": "bearer"})

    @pytest.fixture
    def api(self) -> Iterator[Api]:
        """Run it."""
        with serving() as running:
            running.routes["/orders"] = lambda _: Answer(body=ROWS)
            running.allows = _has_token
            yield running

    @pytest.fixture
    def source(self, warm_python: Path, api: Api) -> Source:
        """Give three records."""
        return Source(
            python=warm_python,
            rows=3,
            variables={"API_BASE_URL": api.url(""), "API_TOKEN": TOKEN},
            wrong={"API_TOKEN": "wr0ng-and-secret"},
        )


class TestSftp(ConnectorContract):
    """Files of OpenSSH."""

    name = "sftp"

    @pytest.fixture(autouse=True)
    def _reads(self, tmp_path: Path) -> None:
        self.answers = {"pattern": f"{tmp_path}/out/*.csv", "files": "all"}

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
        """Run a server."""
        with sshd(tmp_path_factory.mktemp("sshd")) as running:
            yield running

    @pytest.fixture
    def source(self, warm_python: Path, server: Sshd, tmp_path: Path) -> Source:
        """Give a file of three rows; the wrong key is one that nobody knows."""
        (tmp_path / "out").mkdir()
        text = "id,name\n1,Ada\n2,Bob\n3,Zoë\n"
        (tmp_path / "out/orders.csv").write_text(text, encoding="utf-8")
        new_key(tmp_path / "stranger")
        right = {name: str(value) for name, value in server.variables().items()}
        return Source(
            python=warm_python,
            rows=3,
            variables=right,
            wrong={"SFTP_KEY_FILE": str(tmp_path / "stranger")},
        )


def _has_token(asked: Asked) -> bool:
    return asked.headers.get("authorization") == f"Bearer {TOKEN}"
