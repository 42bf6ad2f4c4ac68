"""Projects with assets that read real servers.

`project` makes a bare one; its assets come from `polster add-asset`, as a person's do:

    def test_it(project: MakeShop) -> None:
        shop = project()
        shop.add_asset("customers", "--template", "mysql", "--table", "customers")
        shop.env(MYSQL_HOST="127.0.0.1", MYSQL_PORT=server.port)
        assert shop.core("bronze_customers").returncode == 0
        assert shop.position("bronze_customers") == 25
"""

from __future__ import annotations

import datetime  # noqa: ICN001 - as its values are printed
import json
import zoneinfo
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.connectors.mariadb import MariaDB, running
from tests.connectors.programs import program
from tests.generated.conftest import also, shared, templates
from tests.generated.conftest import runtime as bare_runtime
from tests.generated.projects import Generated, copy, told
from tests.generated.warm import Done
from tests.machine import polster_here, python

__all__ = ["bare_runtime", "shared", "templates"]

LIBRARIES = (
    "asyncssh[bcrypt]>=2.21,<3",
    "fastexcel>=0.14,<1",
    "ijson>=3.3,<4",
    "pymysql[rsa]>=1.1,<2",
    "python-calamine>=0.4,<1",
    "backports.zstd>=1,<2",
)
"""What the connectors add to a project; the same as in their templates."""


class Shop(Generated):
    """A generated project whose assets come from `polster add-asset`."""

    def polster(self, *args: str) -> Done:
        """Run Polster in the project; commands that become the project's Python need their own."""
        if args[0] == "add-asset":
            return polster_here(*args, cwd=self.root)
        return python("-m", "polster_core", *args, cwd=self.root)

    def add_asset(self, name: str, *args: str) -> None:
        """Add a bronze asset."""
        done = self.polster("add-asset", "--layer", "bronze", "--name", name, *args)
        assert done.returncode == 0, told(done)

    def add_mysql(self, name: str, *args: str) -> None:
        """Add a bronze asset that reads MySQL."""
        self.add_asset(name, "--template", "mysql", *args)

    def env(self, **values: object) -> None:
        """Write variables into the project's .env, in place of what it says of them."""
        file = self.root / ".env"
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        kept = [line for line in lines if line.partition("=")[0].strip() not in values]
        lines = [*kept, *(f"{name}={value}" for name, value in values.items())]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def direct(self, stem: str, *args: str, **variables: object) -> Done:
        """`python src/core/STEM.py ...`, with variables of the shell."""
        env = {name: str(value) for name, value in variables.items()}
        return self.core(stem, *args, env=env)

    def document(self, *args: str) -> Any:
        """Return the JSON document that the project's Python prints."""
        return json.loads(succeed(self.python(*args)).stdout)

    def position(self, asset: str) -> Any:
        """Return the position that a reader of an asset gets."""
        return self.document(program("position"), asset)


def succeed(done: Done) -> Done:
    """Check the exit code."""
    assert done.returncode == 0, told(done)
    return done


def columns(shop: Shop, asset: str) -> dict[str, tuple[str, list[Any]]]:
    """Return the type and the values of each column of what a reader gets."""
    done = succeed(shop.python(program("values"), asset))
    known = {"datetime": datetime, "Decimal": Decimal, "zoneinfo": zoneinfo}
    found: dict[str, tuple[str, list[Any]]] = eval(done.stdout, known)  # noqa: S307 - our own
    return found


class MakeShop(Protocol):
    """Make a project without samples in the test's own folder."""

    def __call__(self, name: str = "shop") -> Shop:
        """Give it a name."""


@pytest.fixture(scope="session")
def runtime(bare_runtime: Path) -> Path:
    """Return the Python that all generated projects run in, with what connectors add to it."""
    return also(bare_runtime, "connectors", *LIBRARIES)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """Run MariaDB."""
    with running() as server:
        yield server


@pytest.fixture
def shop(project: MakeShop, mariadb: MariaDB) -> Shop:
    """Return a project whose MYSQL_ variables are right, and whose database is empty."""
    mariadb.empty()
    made = project()
    made.env(**mariadb.variables())
    return made


@pytest.fixture
def project(tmp_path: Path, runtime: Path, templates: Mapping[bool, Path]) -> MakeShop:
    """Make projects; see the top of this file."""
    return maker(tmp_path, runtime, templates)


def maker(folder: Path, runtime: Path, templates: Mapping[bool, Path]) -> MakeShop:
    """Return what makes projects in a folder."""

    def make(name: str = "shop") -> Shop:
        return Shop(copy(templates[False], folder / name), runtime)

    return make
