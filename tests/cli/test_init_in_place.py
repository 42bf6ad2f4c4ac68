"""`polster init` in a folder that has files: they stay, a few are merged, conflicts are named."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from polster_core.project.locate import Project
from polster_core.testing.projects import tree, write
from tests import machine
from tests.assets.test_whole_trees import NEVER_FAILED, TRACES, fail_once, in_child
from tests.cli.test_killed_commands import die
from tests.handmade import polster

PLAIN = ("--no-setup", "--no-sample-assets")
PYPROJECT = """\
[project]
name = "app"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["attrs"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    ".gitignore": "*.pyc\n",
    ".env": "TOKEN=hunter2\n",
    "README.md": "# App\n",
    "docs/testing.md": "how we test\n",
    "src/app/__init__.py": "",
    "tests/test_app.py": "def test(): ...\n",
}
MERGED = {"pyproject.toml", ".gitignore", ".env"}


def git(root: Path, *args: str) -> str:
    known = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = machine.run(["git", *known, *args], cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    write(root, FILES)
    git(root.parent, "init", "--quiet", "shop")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    return root


def removed(root: Path) -> list[str]:
    """Return the lines that git's diff takes out, apart from those that only got longer."""
    shown = git(root, "diff", "--unified=0").splitlines()
    return [line for line in shown if line.startswith("-") and not line.startswith("---")]


def test_p2_what_is_there_stays_and_few_files_are_merged(repository: Path) -> None:
    before = tree(repository)
    done = polster(repository, "init", ".", *PLAIN).succeeded()
    after = tree(repository)
    for path in FILES.keys() - MERGED:
        assert after[path] == before[path]
    assert removed(repository) == ['-dependencies = ["attrs"]']
    head = git(repository, "rev-parse", "HEAD")
    assert git(repository, "rev-list", "--all") == head  # no commit of ours
    rows = [line.split(None, 2) for line in done.out.splitlines()[:7]]
    assert rows[0][:2] == ["create", "./"]
    assert [row[:2] for row in rows[1:4]] == [["update", path] for path in sorted(MERGED)]
    assert rows[4:6] == [
        ["keep", "README.md", "yours; Polster's text is in docs/polster.md"],
        ["keep", "docs/testing.md", "yours"],
    ]
    assert "docs/polster.md" in after
    assert "](assets.md)" in after["docs/polster.md"]
    assert "cd " not in done.out
    assert Project(repository).name == "app"
    assert polster(repository, "upgrade", "--check").succeeded()
    assert tree(repository) == after
    again = polster(repository, "init", ".")
    assert (again.code, again.err.partition("\n")[0]) == (
        1,
        "error: this folder is a Polster project already; nothing was changed",
    )


def test_the_daily_commands_work_there(repository: Path) -> None:
    polster(repository, "init", ".", *PLAIN).succeeded()
    git(repository, "rm", "--quiet", "--cached", ".env")
    for command in (
        ("add-asset", "--layer", "bronze", "--name", "orders"),
        ("add-asset", "--layer", "silver", "--name", "orders", "--dependencies", "orders"),
        ("rename-asset", "bronze", "orders", "sales"),
        ("remove-asset", "silver_orders", "--force"),
        ("storage", "add", "adls"),
        ("upgrade", "--force"),
    ):
        polster(repository, *command).succeeded()
    found = json.loads(polster(repository, "validate", "--format", "json").out)["problems"]
    assert {one["rule"] for one in found} == {"stub"}


def test_dry_run_shows_folders_and_the_diff_of_what_is_there(repository: Path) -> None:
    before = tree(repository)
    done = polster(repository, "init", ".", *PLAIN, "--dry-run").succeeded()
    assert tree(repository) == before
    lines = done.out.splitlines()
    assert len(lines) < 160
    assert "  create  src/polster_runtime/" in done.out
    assert "  update  pyproject.toml" in done.out
    assert {line for line in lines if line.startswith("+++")} == {
        f"+++ b/{path}" for path in MERGED
    }


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"src/core/models.py": "x = 1\n"}, "src/core is there already"),
        ({"core/models.py": ""}, "core would be imported in the place of src/core"),
        ({"run_polster.py": "x"}, "run_polster.py is there already"),
        ({"tests/conftest.py": "x = 1\n"}, "tests/conftest.py is there already"),
        ({"pyproject.toml": "[project\n"}, "pyproject.toml cannot be read: Expected ']'"),
        ({"workspace.yaml": "load_from: []\n"}, "workspace.yaml has no list load_from"),
        ({"workspace.yaml/x": ""}, "workspace.yaml is a folder, and a file of that name is wanted"),
    ],
)
def test_a_conflict_is_named_and_nothing_is_written(
    files: dict[str, str], said: str, tmp_path: Path
) -> None:
    write(tmp_path / "shop", files)
    before = tree(tmp_path)
    done = polster(tmp_path, "init", "shop", *PLAIN)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {said}")
    assert "hint: " in done.err or "is a folder" in said
    assert tree(tmp_path) == before


def test_all_conflicts_are_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"src/core/a.py": "", "src/orchestration/b.py": "", "pyproject.toml": "[tool.poetry]\nx=1"},
    )
    done = polster(tmp_path, "init", ".", "--name", "shop", *PLAIN)
    assert done.err.splitlines()[:4] == [
        "error: 3 conflicts; nothing was changed",
        "  src/core is there already",
        "  src/orchestration is there already",
        "  pyproject.toml keeps its dependencies in [tool.poetry], where only Poetry reads them",
    ]


def test_the_name_is_that_of_the_folder(tmp_path: Path) -> None:
    odd = tmp_path / "my shop"
    odd.mkdir()
    done = polster(odd, "init", ".", *PLAIN)
    assert (done.code, done.err.splitlines()[-1]) == (2, "hint: polster init . --name my-shop")
    polster(odd, "init", ".", *PLAIN, "--no-git", "--name", "my-shop").succeeded()
    assert Project(odd).name == "my-shop"
    (tmp_path / "a").mkdir()
    polster(tmp_path, "init", "a/lake", *PLAIN, "--no-git").succeeded()
    assert Project(tmp_path / "a/lake").name == "lake"
    done = polster(tmp_path, "init", "none/lake", *PLAIN)
    assert (done.code, done.err) == (
        1,
        f"error: there is no folder {tmp_path}/none; nothing was changed\n",
    )


def _unborn(root: Path) -> None:
    git(root.parent, "init", "--quiet", "shop")


def _detached(root: Path) -> None:
    _unborn(root)
    git(root, "commit", "--quiet", "--allow-empty", "--message", "x")
    git(root, "checkout", "--quiet", "--detach")


def _shallow(root: Path) -> None:
    _detached(root)
    root.rename(root.with_name("origin"))
    git(root.parent, "clone", "--quiet", "--depth=1", f"file://{root.parent}/origin", "shop")


def _submodule(root: Path) -> None:
    _detached(root)
    root.rename(root.with_name("origin"))
    git(root.parent, "init", "--quiet", "all")
    allowed = ("-c", "protocol.file.allow=always")
    git(root.parent / "all", *allowed, "submodule", "--quiet", "add", "../origin", "shop")
    root.symlink_to(root.parent / "all/shop")


@pytest.mark.parametrize("make", [_unborn, _detached, _shallow, _submodule])
def test_any_clone_will_do_and_its_commits_are_its_owners(make: object, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    assert callable(make)
    make(root)
    before = git(root, "for-each-ref")
    done = polster(root, "init", ".", *PLAIN).succeeded()
    assert done.err == ""
    assert git(root, "for-each-ref") == before
    assert "git" not in done.out
    assert "?? pyproject.toml" in git(root, "status", "--porcelain")


def test_p3_a_subfolder_gets_no_repository_of_its_own(repository: Path) -> None:
    done = polster(repository, "init", "lake", *PLAIN).succeeded()
    assert "  git     no repository of its own: the folder is in that of ." in done.out
    assert not (repository / "lake/.git").exists()
    assert "?? lake/" in git(repository, "status", "--porcelain")


def test_files_that_are_in_no_repository_are_not_committed_unasked(tmp_path: Path) -> None:
    write(tmp_path / "shop", {"secret.txt": "hunter2"})
    polster(tmp_path, "init", "shop", *PLAIN).succeeded()
    assert not (tmp_path / "shop/.git").exists()


def test_what_git_ignores_is_named_with_the_line(repository: Path) -> None:
    write(repository, {".gitignore": "*.pyc\n\ncore/\n*.yaml\n"})
    done = polster(repository, "init", ".", *PLAIN).succeeded()
    assert done.err.splitlines() == [
        "warning: git ignores src/core/, by .gitignore:3: what is ignored is lost to a clone",
        "warning: git ignores workspace.yaml, by .gitignore:4: what is ignored is lost to a clone",
    ]


@pytest.mark.parametrize("number", [1, 3, 150, 300])
def test_killed_in_place_it_leaves_or_brings_back_every_byte(number: int, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    write(root, FILES)
    before = tree(root)

    def work() -> int:
        fail_once(root, number, die)
        polster(root, "init", ".", *PLAIN)
        return NEVER_FAILED

    assert in_child(work) == -signal.SIGKILL
    assert polster(root, "init", ".", "--dry-run", *PLAIN).code == 0
    left = {path: text for path, text in tree(root).items() if not TRACES.search(f"/{path}")}
    assert left == before
    polster(root, "init", ".", *PLAIN).succeeded()
    assert not [path for path in tree(root) if TRACES.search(f"/{path}")]


def test_a_member_of_a_workspace_is_listed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["api", "web"]\n'})
    shown = polster(tmp_path, "init", "lake", *PLAIN, "--no-git", "--dry-run").succeeded()
    assert "update  pyproject.toml" in shown.out
    shown = polster(tmp_path, "init", "lake", "--no-git", "--dry-run").succeeded()
    assert re.search(r"create  \.venv  +with ", shown.out), "it is that of the workspace"
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", "environment")
    shown = polster(tmp_path, "init", "lake", "--no-git", "--dry-run").succeeded()
    assert re.search(r"create  environment  +with ", shown.out)
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT")
    polster(tmp_path, "init", "lake", *PLAIN, "--no-git").succeeded()
    assert (tmp_path / "pyproject.toml").read_text() == (
        '[tool.uv.workspace]\nmembers = ["api", "web", "lake"]\n'
    )


WATCHED = """
import sys
from polster_core.cli.main import main
EVENTS = ("os.listdir", "os.scandir", "open")
sys.addaudithook(
    lambda event, args: event in EVENTS and "vendor" in str(args[0]) and print(event, *args)
)
sys.argv = ["polster", "init", ".", *sys.argv[1:]]
main()
"""


def test_the_cost_follows_what_is_written_and_not_what_is_there(repository: Path) -> None:
    """No folder of others is listed: fifty thousand files more take no time."""
    write(repository, {f"vendor/{number}/a.py": "" for number in range(20)})
    done = machine.python("-c", WATCHED, *PLAIN, cwd=repository)
    assert (done.returncode, done.stderr) == (0, "")
    assert "vendor" not in done.stdout
