"""Reading a project runs nothing that its repository asks for (S4)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from polster_core.environment import git_command
from polster_core.testing.projects import PYPROJECT, faultless, polster, write

READS = (
    ("validate",),
    ("list-assets",),
    ("lineage",),
    ("add-asset", "--layer", "bronze", "--name", "new", "--dry-run"),
    ("rename-asset", "silver_orders", "clean", "--dry-run"),
    ("remove-asset", "silver_orders", "--dry-run"),
)
Trap = Callable[[Path, Path], None]


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def config(root: Path, key: str, value: str | Path) -> None:
    git(root, "config", key, str(value))


def fsmonitor(root: Path, program: Path) -> None:
    config(root, "core.fsmonitor", program)


def hooks(root: Path, program: Path) -> None:
    config(root, "core.hooksPath", program.parent)
    program.with_name("post-index-change").symlink_to(program)
    (root / "README.md").touch()  # so that reading refreshes the index


def clean_filter(root: Path, program: Path) -> None:
    config(root, "filter.evil.clean", program)
    config(root, "filter.evil.required", "true")
    write(root, {".gitattributes": "* filter=evil\n"})
    (root / "README.md").write_text("other words of the same length, or not\n")


def hidden_filter(root: Path, program: Path) -> None:
    (root / ".git/info").mkdir(exist_ok=True)
    config(root, "filter.evil.process", program)
    (root / ".git/info/attributes").write_text("* filter=evil\n")
    (root / "README.md").write_text("other words\n")


def partial_clone(root: Path, program: Path) -> None:
    config(root, "extensions.partialClone", "origin")
    config(root, "core.repositoryFormatVersion", "1")
    config(root, "remote.origin.url", root)
    config(root, "remote.origin.promisor", "true")
    config(root, "remote.origin.uploadpack", program)
    config(root, "protocol.file.allow", "always")
    tree = git(root, "rev-parse", "HEAD^{tree}")
    (root / ".git/objects" / tree[:2] / tree[2:]).unlink()


def submodule(root: Path, program: Path) -> None:
    module = root / "module"
    module.mkdir()
    git(module, "init", "-q")
    git(module, "commit", "-q", "--allow-empty", "-m", "x")
    config(module, "core.fsmonitor", program)
    git(root, "add", "module")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    files = faultless({"bronze_orders": [], "silver_orders": ["bronze_orders"]})
    write(root, {**files, "pyproject.toml": PYPROJECT, "README.md": "words\n"})
    git(root, "init", "-q")
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "start")
    return root


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """Return the path of a file that exists once the trap's program has run."""
    return tmp_path / "it-ran"


@pytest.fixture
def program(tmp_path: Path, ran: Path) -> Path:
    found = tmp_path / "bin/program"
    found.parent.mkdir()
    found.write_text(f"#!/bin/sh\necho ran >>'{ran}'\nexit 1\n")
    found.chmod(0o755)
    return found


@pytest.mark.parametrize(
    "trap", [fsmonitor, hooks, clean_filter, hidden_filter, partial_clone, submodule]
)
def test_s4_reading_runs_nothing_of_a_repository(
    trap: Trap, project: Path, program: Path, ran: Path
) -> None:
    trap(project, program)
    for args in READS:
        polster(project, *args)
        assert not ran.exists(), args
    subprocess.run(["git", "status"], cwd=project, check=False, capture_output=True)
    assert ran.exists(), "this is no trap: the test shows nothing"


def test_s4_what_git_says_is_the_same_as_ever(project: Path) -> None:
    assert isinstance(listed := git_command.tracked(project), list)
    assert listed == git(project, "ls-files").splitlines()
    assert not git_command.has_uncommitted_changes(project)
    (project / "README.md").write_text("others\n")
    assert git_command.has_uncommitted_changes(project)


def test_s4_a_filter_that_cannot_be_turned_off_is_not_run(
    project: Path, program: Path, ran: Path
) -> None:
    config(project, "filter.a=b.clean", program)
    (project / ".gitattributes").write_text("* filter=a=b\n")
    (project / "README.md").write_text("others\n")
    assert not git_command.has_uncommitted_changes(project)
    assert not ran.exists()


def test_s4_variables_of_a_hook_lead_to_no_other_repository(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    listed = git_command.tracked(project)
    assert "README.md" in listed
