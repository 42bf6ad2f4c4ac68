"""Seven plugins of seven kinds, from real wheels in a fresh environment, in one project.

Their sources are in examples/seven: each is as short as what it does allows. The project also
has a rule of its own, in a file, which its own pipeline runs.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests import machine
from tests.generated.conftest import *  # noqa: F403 - its fixtures are ours as well
from tests.generated.projects import Generated, told

ROOT = Path(__file__).parents[2]
SEVEN = ROOT / "examples" / "seven"
KINDS = ("bitbucket", "command", "option", "rule", "scd2", "sqlite", "webdav")
RULE = """
from polster_core.hookspecs import hookimpl
from polster_core.types import Problem, ValidationRule

def described(pipeline):
    for asset in pipeline.assets:
        if asset.definitions and len(asset.description) < 10:
            yield Problem.at(asset.definitions[0].place, f"{asset} says too little")

@hookimpl
def polster_validation_rules():
    yield ValidationRule(name="described", summary="Say what it is.", check=described)
"""
"""Ten lines."""


class Desk:
    """A fresh environment with Polster and the plugins, all of them from wheels."""

    def __init__(self, folder: Path) -> None:
        """Build and install."""
        self.folder, self.wheels = folder, folder / "wheels"
        sources = [str(ROOT), *(str(SEVEN / kind) for kind in KINDS)]
        self._run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
                  "--no-build-isolation", "--wheel-dir", str(self.wheels), *sources)  # fmt: skip
        self.python = folder / "venv/bin/python"
        uv = (sys.executable, "-m", "uv")
        self._run(*uv, "venv", "--quiet", "-p", sys.executable, str(folder / "venv"))
        wheels = sorted(map(str, self.wheels.glob("*.whl")))
        assert len(wheels) == 1 + len(KINDS)
        self._run(*uv, "pip", "install", "--quiet", "-p", str(self.python), *wheels)

    def polster(self, *args: str, cwd: Path, code: int = 0) -> str:
        """Run it, see how it ends, and return what it says."""
        done = machine.run([self.python.with_name("polster"), *args], cwd=cwd)
        assert done.returncode == code, told(done)
        return done.stdout + done.stderr

    def pipeline(self, shop: Path, code: int) -> str:
        """Run the step of the pipeline that validates, with the wheels for an index."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        env = {"UV_FIND_LINKS": str(self.wheels), "PATH": path}
        done = machine.run([sys.executable, "ci/validate.py"], cwd=shop, env=env)
        assert done.returncode == code, told(done)
        return done.stdout + done.stderr

    @property
    def pinned(self) -> str:
        """Where the pipeline gets Polster from."""
        (wheel,) = self.wheels.glob("polster-0*.whl")
        return f"{wheel.as_uri()}#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}"

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True)


@pytest.mark.slow
def test_seven_plugins_and_a_rule_of_the_project(tmp_path: Path, runtime: Path) -> None:
    desk = Desk(tmp_path)
    listed = desk.polster("plugins", cwd=tmp_path)
    assert listed.count("polster-plugin-") == len(KINDS)
    assert "broken" not in listed
    desk.polster(
        *("init", "shop", "--no-setup", "--no-git", "--no-sample-assets", "--team", "sales"),
        *("--storage", "webdav", "--webdav-url", "https://dav.example.com"),
        *("--cicd", "bitbucket", "--bitbucket-size", "2x"),
        cwd=tmp_path,
    )
    root = tmp_path / "shop"
    pipeline = (root / "bitbucket-pipelines.yml").read_text("utf-8")
    assert "size: 2x\n" in pipeline
    assert "DAV_URL, DAV_PASSWORD (secret)\n" in pipeline
    assert (root / "CODEOWNERS").read_text("utf-8") == "* @sales\n"
    assert "\n*.qvd\n" in (root / ".gitignore").read_text("utf-8")
    assert "## Whom to ask\n\nThe team sales." in (root / "docs/running.md").read_text("utf-8")
    assert (root / "src/polster_webdav/__init__.py").exists()

    bronze = ("add-asset", "--layer", "bronze", "--name", "prices", "--template", "sqlite")
    desk.polster(*bronze, "--table", "price list", cwd=root)
    silver = ("add-asset", "--layer", "silver", "--name", "prices", "--template", "scd2")
    given = ("--dependencies", "bronze_prices", "--key", "id", "--changed", "day")
    desk.polster(*silver, *given, cwd=root)
    gold = ("add-asset", "--layer", "gold", "--name", "prices", "--template", "per-entity")
    desk.polster(*gold, "--dependencies", "silver_prices", "--key", "id:Int64", cwd=root)
    _runs(Generated(root, runtime), tmp_path / "shop.db")
    said = desk.polster("validate", cwd=root, code=1)
    assert "gold_prices has no owner" in said
    _own(root, "gold_prices", "What things cost. Owner: sales")
    assert "create  OWNERS" in desk.polster("owners", cwd=root)
    assert "gold_prices sales\n" in (root / "OWNERS").read_text("utf-8")

    desk.polster("add-cicd", "github-actions", cwd=root)
    _own(root, "bronze_prices", "Each price of the list.")
    _own(root, "silver_prices", "Prices.")
    (root / "tools").mkdir()
    (root / "tools/our_rules.py").write_text(RULE.lstrip(), encoding="utf-8")
    project = root / "pyproject.toml"
    text = project.read_text("utf-8")
    needed = 'required_plugins = ["polster-plugin-owned", '
    assert "required_plugins = [" in text
    text = text.replace("required_plugins = [", needed)
    own = f'plugins = ["tools/our_rules.py"]\ninstall = "{desk.pinned}"\n'
    text = text.replace("[tool.polster]\n", f"[tool.polster]\n{own}")
    project.write_text(text, encoding="utf-8")
    assert "nobody has trusted" in desk.polster("validate", cwd=root, code=4)
    assert "described  silver_prices says too little" in desk.pipeline(root, 1)
    _own(root, "silver_prices", "Since when each price counted.")
    assert "no problems" in desk.pipeline(root, 0)


def _runs(shop: Generated, database: Path) -> None:
    """See new rows arrive, and the states that they make; then the tests that came along.

    The data stays here: what becomes of it on a WebDAV server is in tests/storage.
    """
    shop.edit(".env", "STORAGE_BACKEND=webdav", "STORAGE_BACKEND=local")
    env = {"SQLITE_FILE": str(database)}
    with closing(sqlite3.connect(database)) as connection:
        connection.execute('CREATE TABLE "price list" (id INTEGER, day INTEGER)')
        for rows in ([(1, 3), (1, 5)], [(1, 9)]):
            connection.executemany('INSERT INTO "price list" VALUES (?, ?)', rows)
            connection.commit()
            done = shop.run("--select", "+silver_prices", env=env)
            assert done.returncode == 0, told(done)
    found = [(one["id"], one["day"], one["until"]) for one in shop.rows("silver_prices")]
    assert sorted(found) == [(1, 3, 5), (1, 5, 9), (1, 9, None)]
    assert len(shop.files("bronze_prices")) == 2
    done = shop.pytest(env=env)
    assert done.returncode == 0, told(done)


def _own(root: Path, asset: str, description: str) -> None:
    """Say in an asset's docstring what it is."""
    layer = asset.partition("_")[0]
    file = root / f"src/orchestration/assets/{layer}/run_{asset}.py"
    before, quotes, rest = file.read_text("utf-8").partition('Results:\n    """')
    assert quotes
    text = f"{before}{quotes}{description}{rest[rest.index(chr(34) * 3) :]}"
    file.write_text(text, encoding="utf-8")
