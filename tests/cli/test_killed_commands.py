"""Commands that are killed at any file operation, and commands that come at the same time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polster_core.plan.lock import turn
from polster_core.testing.projects import tree
from tests.assets.test_whole_trees import (
    ADD,
    FILES,
    NEVER_FAILED,
    REMOVE,
    RENAME,
    TRACES,
    fail_once,
    in_child,
    written,
)
from tests.handmade import polster

STORAGE = ("storage", "add", "adls")
PIPELINE = ("add-cicd", "gitlab")
COMMANDS = pytest.mark.parametrize(
    "command", [ADD, RENAME, REMOVE, STORAGE, PIPELINE], ids=lambda command: command[0]
)
PYPROJECT = '[project]\nname = "shop"\ndependencies = []\n\n[tool.polster]\nversion = "0.1.0"\n'
SHOP = {
    **FILES,
    "pyproject.toml": PYPROJECT,
    ".env": "TOKEN=hunter2\n",
    ".env.example": "TOKEN=\n",
    ".polster/of_the_team.txt": "",  # every project has that folder
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(root: Path, number: int, *command: str) -> bool:
    """Run a command that is killed at its n-th write; return False if it has not that many."""

    def work() -> int:
        fail_once(root, number, die)
        polster(root, *command)
        return NEVER_FAILED

    ended = in_child(work)
    assert ended in {NEVER_FAILED, -signal.SIGKILL}
    return ended != NEVER_FAILED


def killed(root: Path, *command: str) -> Iterator[int]:
    """Write the project again and kill the command in it: at its first write, its second..."""
    number = 1
    while killed_at(written(root, SHOP), number, *command):
        yield number
        number += 1


def in_progress(root: Path) -> list[str]:
    return [path for path in tree(root) if TRACES.search(path)]


@COMMANDS
def test_s5_it_can_be_repeated_at_once_or_the_next_command_undoes_it_and_says_so(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Both after each kill: the second in a copy of what the first found."""
    root, kept = written(tmp_path / "shop", SHOP), tmp_path / "kept"
    old = tree(root)
    polster(root, *command).succeeded()
    new = tree(root)
    warned = noted = number = 0
    for number in killed(root, *command):
        shutil.copytree(root, kept, symlinks=True)
        again = polster(root, *command)
        assert tree(root) == new, f"write {number}\n{again.err}"
        assert again.code == 0, f"write {number}\n{again.err}"
        assert not in_progress(root), f"write {number}"
        shutil.rmtree(root)
        kept.rename(root)
        half_done = {path: text for path, text in tree(root).items() if path in old or path in new}
        listed = polster(root, "list-assets").succeeded()
        assert tree(root) in (old, new), f"write {number}: {in_progress(root)}"
        is_undone = "was killed: its changes were undone" in listed.err
        warned += is_undone
        noted += "was killed after all its changes were made" in listed.err
        if half_done not in (old, new):
            assert is_undone, f"write {number}: {listed.err}"
        assert polster(root, "list-assets").err == ""
    assert number > 15
    assert warned > 5
    assert noted > 0


def test_s1_what_was_written_in_between_is_kept_and_named(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    seen = set()
    for _ in killed(root, *RENAME):
        mine = root / "src/core/silver_clean_orders.py"
        if not mine.exists():
            continue
        mine.write_text("mine = 1\n", encoding="utf-8")
        said = polster(root, "validate").err
        if "its changes were undone" in said:
            assert mine.read_text(encoding="utf-8") == "mine = 1\n"
            assert "  src/core/silver_clean_orders.py was changed since: it stays so\n" in said
            assert (root / "src/core/silver_orders.py").is_file()
        seen.add("its changes were undone" in said)
    assert True in seen


def add(root: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "polster_core", "add-asset", "--layer", "bronze", "--name", name],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_v1_ten_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    root = written(tmp_path / "shop", SHOP)
    names = [f"source_{number}" for number in range(10)]
    with turn(root):  # so that all of them have to wait
        running = [add(root, name) for name in names]
        waiting = []
        for one in running:
            assert one.stderr is not None
            waiting.append(one.stderr.readline())
    assert waiting == ["waiting for another Polster command to finish in this project\n"] * 10
    ended = [(one.wait(), one.communicate()[1]) for one in running]
    assert ended == [(0, "")] * 10
    package = (root / "src/orchestration/assets/bronze/__init__.py").read_text(encoding="utf-8")
    assert [name for name in names if f"run_bronze_{name}" not in package] == []
    found = json.loads(polster(root, "validate", "--json").out)["problems"]
    assert {one["rule"] for one in found} == {"stub", "import-path"}, "of this small project"
    assert in_progress(root) == []


def test_v1_a_killed_writer_keeps_nobody_waiting(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    writes = count_writes(written(root, SHOP), *ADD)
    assert killed_at(written(root, SHOP), writes // 2, *ADD)
    assert "waiting" not in polster(root, *ADD).succeeded().err


def test_v1_a_reader_does_not_wait(tmp_path: Path) -> None:
    root = written(tmp_path / "shop", SHOP)
    assert killed_at(root, 20, *ADD)

    reader = "from polster_core.cli.main import dispatch as run; exit(run(['list-assets']))"
    with turn(root):
        done = subprocess.run(
            [sys.executable, "-c", reader], cwd=root, check=False, capture_output=True, text=True
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "was killed" in polster(root, "list-assets").err


def test_s5_an_upgrade_can_be_repeated(tmp_path: Path) -> None:
    """A whole project; killed at the first writes, at the last ones, and at some in between."""
    command = ("upgrade", "--runtime", "package")
    polster(tmp_path, "init", "made", "--no-setup", "--no-git").succeeded()
    root = tmp_path / "shop"

    def copied() -> Path:
        shutil.rmtree(root, ignore_errors=True)
        return shutil.copytree(tmp_path / "made", root)

    writes = count_writes(copied(), *command)
    polster(copied(), *command).succeeded()
    expected = tree(root)
    assert writes > 40
    for number in sorted(
        {1, 2, *range(3, writes - 12, writes // 8), *range(writes - 11, writes + 1)}
    ):
        assert killed_at(copied(), number, *command)
        again = polster(root, *command)
        assert (again.code, tree(root) == expected) == (0, True), f"write {number}\n{again.err}"
        assert not in_progress(root), f"write {number}"


def count_writes(root: Path, *command: str) -> int:
    """Return how many writes a command consists of, run in a process of its own."""
    writes = root.parent / "writes"

    def work() -> int:
        left = fail_once(root, 1_000_000, die)
        polster(root, *command)
        writes.write_text(str(1_000_000 - left()), encoding="utf-8")
        return NEVER_FAILED

    assert in_child(work) == NEVER_FAILED
    return int(writes.read_text(encoding="utf-8"))


def test_s5_an_init_that_was_killed_can_be_repeated(tmp_path: Path) -> None:
    """At the first writes, and at all that come once the project has its place."""
    init = ("init", "shop", "--no-setup", "--git")
    tried = 0
    (tmp_path / "counted").mkdir()
    writes = count_writes(tmp_path / "counted", *init)
    for number in (1, 2, 40, *range(writes - 3, writes + 400)):
        folder = tmp_path / str(number)
        folder.mkdir()
        if not killed_at(folder, number, *init):
            break
        tried += 1
        again = polster(folder, *init).succeeded()
        assert [path.name for path in folder.iterdir()] == ["shop"], number
        assert git(folder / "shop", "log", "--format=%s") == "Start the project with Polster\n"
        assert git(folder / "shop", "status", "--porcelain") == ""
        assert "create" in again.out
    assert tried > 6


def test_s5_a_project_that_was_changed_since_is_not_taken_for_a_killed_init(tmp_path: Path) -> None:
    assert polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    (tmp_path / f".shop.polster-{dead_process()}").mkdir()
    (tmp_path / "shop/README.md").write_text("mine\n", encoding="utf-8")
    again = polster(tmp_path, "init", "shop", "--no-setup", "--no-git")
    assert (again.code, (tmp_path / "shop/README.md").read_text(encoding="utf-8")) == (1, "mine\n")
    assert again.err == (
        "error: shop/ exists and is not empty; nothing was changed\n"
        "hint: polster setup  in it: an init that was killed had written it\n"
    )


def dead_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def git(root: Path, *args: str) -> str:
    return subprocess.run(
        ["git", *args], cwd=root, check=True, capture_output=True, text=True
    ).stdout
