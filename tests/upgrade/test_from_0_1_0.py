"""A project made by Polster 0.1.0, with a dozen edits of its team: `polster upgrade` for real."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import polster_core
from polster_core.testing.projects import polster, tree
from tests.generated import types_known
from tests.generated.byte_code import lend
from tests.generated.conftest import runtime, shared, templates
from tests.machine import run
from tests.upgrade import edits, fixture
from tests.upgrade.old_runtime import imported_by_0_1_0

__all__ = ["runtime", "shared", "templates"]

RUN = ("--select", "+gold_example", "--select", "+gold_revenue", "--json")


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project of 0.1.0, edited and upgraded."""
    root = fixture.unpack(tmp_path_factory.mktemp("old"))
    edits.edit(root)
    polster(root, "upgrade").succeeded()
    return root


@pytest.fixture(scope="module")
def python(upgraded: Path, runtime: Path) -> Path:
    """Return the Python of its environment, set up by `polster setup`."""
    polster(upgraded, "setup").succeeded()
    assert lend(runtime, upgraded / ".venv/bin/python") > 0
    return upgraded / ".venv/bin/python"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return the edited project as it was."""
    root = fixture.unpack(tmp_path)
    edits.edit(root)
    return root


def verdicts(document: dict[str, Any]) -> dict[str, list[str]]:
    """Return the paths of each verdict, those of the runtime aside."""
    found: dict[str, list[str]] = {}
    for file in document["files"]:
        if file["owner"] == "shared" or file["verdict"] == "conflict":
            found.setdefault(file["verdict"], []).append(file["path"])
    return found


def test_its_verdicts(old: Path) -> None:
    before = tree(old)
    done = polster(old, "upgrade", "--check", "--json")
    assert done.code == 3
    assert tree(old) == before
    document = json.loads(done.out)
    assert document["polster"] == {"from": "0.1.0", "to": polster_core.__version__}
    assert document["needed"] is True
    assert document["applied"] is False
    found = verdicts(document)
    certain = {"README.md", "src/core/runtime/report.py", "src/orchestration/definitions.py"}
    assert certain <= set(found["conflict"]) <= certain | {"AGENTS.md"}
    assert found["deleted by you"] == ["docs/connectors/sftp-guide.md"]
    assert {".dagster/dagster.yaml", "pyproject.toml"} <= set(found["merged"])
    touched = {path for paths in found.values() for path in paths}
    assert not {path for path in touched if path.startswith(("src/core/gold", "src/core/silver"))}


def test_every_edit_is_there_or_named(upgraded: Path) -> None:
    def text(path: str) -> str:
        return (upgraded / path).read_text()

    for path, content in edits.HAND_MADE.items():
        assert text(path) == content
    assert text("README.md") == edits.README
    assert edits.JOB in text("src/orchestration/definitions.py")
    assert edits.PATCH in text(".polster/replaced/src/core/runtime/report.py.old")
    assert "Ours: agreed with sales" in text("src/core/silver_example.py")
    assert "REPORTS_URL" in text(".env.example")
    assert "reports/" in text(".gitignore")
    assert "Ask Ann" in text("AGENTS.md")
    assert "purge_after_days" in text(".dagster/dagster.yaml")
    assert "timeout-minutes: 1" in text(".github/workflows/polster.yml")
    assert not (upgraded / "docs/connectors/sftp-guide.md").exists()
    for path in ("README.md", "src/orchestration/definitions.py"):
        assert (upgraded / f"{path}.polster-new").exists()
    settings = tomllib.loads(text("pyproject.toml"))
    assert "tenacity>=9" in settings["project"]["dependencies"]
    assert settings["tool"]["ruff"]["lint"]["select"][-1] == "PIE"
    assert settings["tool"]["coverage"] == {"run": {"branch": True}}
    assert settings["tool"]["polster"]["runtime"] == "vendored"


def test_what_0_1_0_wrote_besides_is_gone(upgraded: Path) -> None:
    assert not (upgraded / ".polster/base").exists()
    kept = {*(path.name for path in (upgraded / "src/core/runtime").glob("*.py"))}
    assert kept == {"__init__.py", "source.py"}, "what assets and the team's code import"
    assert {*(path.name for path in (upgraded / "src/core/sources").glob("*.py"))} == {
        "__init__.py",
        "mysql.py",
    }
    for path in (upgraded / "src/core/runtime").glob("*.py"):
        assert len(path.read_text().splitlines()) < 10


def test_a_second_upgrade_has_nothing_to_do(upgraded: Path) -> None:
    before = tree(upgraded)
    done = polster(upgraded, "upgrade", "--check", "--json")
    assert done.code == 0, done.out
    document = json.loads(done.out)
    assert document["needed"] is False
    assert set(verdicts(document)) == {"yours", "deleted by you"}
    done = polster(upgraded, "upgrade").succeeded()
    assert done.out == f"polster {polster_core.__version__}\nnothing to do\n"
    assert tree(upgraded) == before


def test_it_validates(upgraded: Path) -> None:
    done = polster(upgraded, "validate", "--format", "json").succeeded()
    found = {(one["rule"], one["path"]) for one in json.loads(done.out)["problems"]}
    left = {path for path in tree(upgraded) if path.endswith(".polster-new")}
    assert found == {
        ("missing-contract", "src/core/gold_revenue.py"),
        *(("open-conflict", path) for path in left),
    }


@pytest.mark.slow
def test_it_runs(upgraded: Path, python: Path) -> None:
    done = run([python, "run_polster.py", *RUN], cwd=upgraded)
    assert done.returncode == 0, done.stdout + done.stderr
    direct = run([python, "src/core/gold_revenue.py"], cwd=upgraded)
    assert direct.returncode == 0, direct.stderr
    jobs = "from orchestration.definitions import defs; print(defs().resolve_job_def('gold').name)"
    named = run([python, "-c", jobs], cwd=upgraded)
    assert named.stdout.split()[-1:] == ["gold"], named.stderr


@pytest.mark.slow
def test_it_passes_its_tests_and_its_linters(upgraded: Path, python: Path) -> None:
    for command in (["pytest", "-q"], ["ruff", "check", "."], ["mypy"]):
        done = run([python, "-m", *command], cwd=upgraded, env=types_known.variables(python))
        assert done.returncode == 0, done.stdout + done.stderr


def test_without_git_it_is_the_same(old: Path, upgraded: Path, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    polster(old, "upgrade", env={"PATH": str(empty)}).succeeded()
    assert _written(old) == _written(upgraded)


def _written(root: Path) -> dict[str, str]:
    """Return the files of a project that nothing but commands of Polster has written."""
    folders = ("src/core", "src/orchestration", "src/polster_runtime", "docs", "tests", ".github")
    return {
        path: text
        for path, text in tree(root).items()
        if path.startswith((*folders, ".polster/")) or "/" not in path
        if "__pycache__" not in path and path != "uv.lock"
    }


def test_after_the_imports_are_changed_the_old_modules_go(old: Path) -> None:
    polster(old, "upgrade").succeeded()
    (old / "src/orchestration/definitions.py.polster-new").replace(
        old / "src/orchestration/definitions.py"
    )
    for path in [*(old / "src/core").glob("*.py"), *(old / "tests").glob("*.py")]:
        text = path.read_text()
        for before, after in (
            ("core.runtime.source", "polster_runtime"),
            ("core.runtime", "polster_runtime"),
            ("core.sources", "polster_runtime.sources"),
        ):
            text = text.replace(before, after)
        path.write_text(text)
    document = json.loads(polster(old, "upgrade", "--json").succeeded().out)
    removed = {one["path"] for one in document["files"] if one["verdict"] == "removed"}
    assert {"src/core/runtime/__init__.py", "src/orchestration/runtime/alerts.py"} <= removed
    for folder in ("src/core/runtime", "src/core/sources", "src/orchestration/runtime"):
        assert not (old / folder).exists()
    polster(old, "validate").succeeded()
    assert polster(old, "upgrade", "--check").code == 0


def test_every_documented_import_of_0_1_0_has_a_place(old: Path) -> None:
    """What its README, its guides and its own assets imported."""
    module = "\n".join(f"from {module} import {name}" for module, name in imported_by_0_1_0())
    (old / "src/core/everything.py").write_text(module + "\n")
    done = polster(old, "upgrade", "--json").succeeded()
    assert json.loads(done.out)["notes"] == []


def test_what_is_gone_is_named(old: Path) -> None:
    (old / "src/core/plumbing.py").write_text("from core.runtime.patience import no_such_name\n")
    done = polster(old, "upgrade").succeeded()
    assert "no_such_name of core.runtime.patience is gone, and your code imports it" in done.err


def test_commands_and_messages_that_changed_are_named(old: Path) -> None:
    (old / "Makefile").write_text("tidy:\n\tpython -m core.runtime.retention --dry-run\n")
    test = old / "tests/test_bronze_rates.py"
    test.write_text('MESSAGE = "127.0.0.1:9/: nothing listens there"\n')
    done = polster(old, "upgrade").succeeded()
    command = "python -m core.runtime.retention is now  python -m polster_runtime storage prune"
    assert done.err.splitlines() == [
        f"warning: Makefile:2: {command}",
        "warning: tests/test_bronze_rates.py:1: that message is now  connection refused",
    ]


def test_an_unedited_project_has_no_conflict(tmp_path: Path) -> None:
    root = fixture.unpack(tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    assert polster(root, "upgrade").code == 1, "it is not committed"
    document = json.loads(polster(root, "upgrade", "--force", "--json").succeeded().out)
    assert "conflict" not in verdicts(document)
    assert document["applied"] is True
