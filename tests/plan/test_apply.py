"""Applying a plan: all or nothing, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from pathlib import Path, PurePosixPath

import pytest

from polster_core.errors import PlanStaleError
from polster_core.plan.apply import apply
from polster_core.plan.definition import draft
from polster_core.testing.projects import tree
from polster_core.types import NewFile
from tests.conftest import names
from tests.kill_points import attempts, die, interrupt, no_space
from tests.machine import bound_by_permissions, no_file_longer_than, python
from tests.plan.everything import (
    AFTER,
    BEFORE,
    applied,
    everything,
    files,
    killed_at_the_end,
    lay,
    leftovers,
    operations,
    plan,
    recovered,
)

PRELUDE = """
import sys
from pathlib import Path, PurePosixPath
from polster_core.plan.apply import apply
from polster_core.errors import PolsterError
from polster_core.plan.definition import draft
from polster_core.types import NewFile
from tests.plan.everything import everything
root = Path(sys.argv[1])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay(tmp_path / "project", BEFORE)


def test_does_everything(project: Path) -> None:
    (project / "data/gold/old").chmod(0o700)
    apply(everything(project))

    assert files(project) == AFTER
    assert not leftovers(project)


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    apply(plan(tmp_path / "new", **{"a/x": "1", "b": "2"}))
    again = plan(tmp_path / "new", **{"a/x": "1", "b": "2"})
    assert not again
    stamp = (tmp_path / "new/b").stat().st_mtime_ns
    apply(again)
    assert (tmp_path / "new/b").stat().st_mtime_ns == stamp


def test_an_empty_plan_makes_no_folder(tmp_path: Path) -> None:
    apply(draft(tmp_path / "new"))
    assert names(tmp_path) == []


def test_permissions(tmp_path: Path) -> None:
    path = PurePosixPath
    new = [NewFile(path=path(name), text="x", executable=name == "run") for name in ("run", "read")]
    umask = os.umask(0o027)
    try:
        apply(draft(tmp_path / "fresh", new))
        (tmp_path / "old").mkdir()
        (tmp_path / "old/private").write_text("secret")
        (tmp_path / "old/private").chmod(0o600)
        apply(draft(tmp_path / "old", [*new, NewFile(path=path("private"), text="changed")]))
        apply(draft(tmp_path / "old", moved={path("private"): path("renamed")}))
    finally:
        os.umask(umask)

    modes = {p: stat.S_IMODE((tmp_path / p).stat().st_mode) for p in names(tmp_path)}
    assert modes == {
        "fresh": 0o750,
        "fresh/read": 0o640,
        "fresh/run": 0o750,
        "old": 0o750,
        "old/read": 0o640,
        "old/renamed": 0o600,
        "old/run": 0o750,
    }


def test_an_empty_folder_is_filled_and_stays_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir(mode=0o700)
    apply(plan(tmp_path / "shop", a="1"))
    assert tree(tmp_path) == {"shop/a": "1"}
    assert stat.S_IMODE((tmp_path / "shop").stat().st_mode) == 0o700


def test_a_link_inside_the_project_is_written_through(tmp_path: Path) -> None:
    lay(tmp_path, {"real/settings": "old"})
    (tmp_path / "settings").symlink_to("real/settings")
    apply(plan(tmp_path, settings="new"))
    assert files(tmp_path) == {"real/settings": "new", "settings": "-> real/settings"}


def test_a_data_folder_may_be_a_link(tmp_path: Path) -> None:
    lay(tmp_path, {"disk/silver/orders/1": "rows", "disk/silver/old/1": "rows", "project/x": ""})
    (tmp_path / "project/data").symlink_to(tmp_path / "disk")
    apply(
        draft(
            tmp_path / "project",
            deleted=[PurePosixPath("data/silver/old")],
            moved={PurePosixPath("data/silver/orders"): PurePosixPath("data/silver/clean")},
        )
    )
    assert names(tmp_path / "disk") == ["silver", "silver/clean", "silver/clean/1"]


def test_a_stale_plan_is_refused(project: Path) -> None:
    drafted = everything(project)
    (project / "src/updated.py").write_text("theirs")
    with pytest.raises(PlanStaleError, match=r"^changed since the plan was made: src/updated.py$"):
        apply(drafted)
    assert files(project) == {**BEFORE, "src/updated.py": "theirs"}


@pytest.mark.parametrize("taken", ["src/other.py", "data/silver/clean"])
def test_a_name_that_was_taken_meanwhile_is_refused(project: Path, taken: str) -> None:
    drafted = everything(project)
    (project / taken).mkdir()
    with pytest.raises(PlanStaleError, match=taken):
        apply(drafted)


def emptied(folder: Path) -> Path:
    shutil.rmtree(folder)
    return folder


def test_failure_at_every_single_step_leaves_everything_as_it_was(project: Path) -> None:
    for attempt in attempts():
        code, said = applied(everything(project), no_space, attempt)
        if code == 0:
            break
        assert (code, said) == (
            1,
            "could not write: No space left on device; nothing was changed",
        )
        assert files(project) == BEFORE, attempt
        assert not leftovers(project), attempt
        assert not (project / "src/a").exists(), attempt
    assert attempt > 15
    assert files(project) == AFTER


def test_ctrl_c_at_every_single_step_leaves_everything_as_it_was(project: Path) -> None:
    for attempt in attempts():
        code, said = applied(everything(project), interrupt, attempt)
        if code == 0:
            break
        assert (code, said) == (130, "")
        if files(project) == AFTER:
            assert attempt == operations() - 1, "where only word of the change is taken back"
            assert [one.finished for one in recovered(project).interrupted] == [True]
            lay(emptied(project), BEFORE)
            continue
        assert files(project) == BEFORE, attempt
        assert not leftovers(project), attempt
    assert files(project) == AFTER


def test_kill_at_every_single_step_is_taken_back_by_the_next_command(project: Path) -> None:
    found = []
    for attempt in attempts():
        code, _ = applied(everything(project), die, attempt)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        found.append(bool(recovered(project)))
        assert files(project) == (AFTER if attempt == operations() - 1 else BEFORE), attempt
        assert not leftovers(project), attempt
        lay(emptied(project), BEFORE)
    assert found[-11:] == [True] * 10 + [False], "the last one takes word of the change back"
    assert files(project) == AFTER


def test_what_a_killed_command_left_does_not_stand_conflicts(tmp_path: Path) -> None:
    project = killed_at_the_end(tmp_path)
    with pytest.raises(PlanStaleError, match="an earlier command was killed half-way"):
        apply(plan(project, **{"src/updated.py": "mine = 1\n"}))
    assert files(project) == BEFORE
    apply(everything(project))
    assert files(project) == AFTER


def test_a_new_project_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "shop"
    texts = {name: f"{name} = 1\n" for name in ("a", "b")}
    drafted = plan(target, **{f"src/core/{name}.py": text for name, text in texts.items()})
    for attempt in attempts():
        code, _ = applied(drafted, die, attempt)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert not target.exists(), attempt
    assert attempt > 5
    assert names(tmp_path) == [
        "shop",
        "shop/src",
        "shop/src/core",
        "shop/src/core/a.py",
        "shop/src/core/b.py",
    ], "what the killed runs left beside it is gone"


def test_full_disk(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    done = python(
        "-c",
        f"{PRELUDE}try:\n    apply(draft(root, [NewFile(path=PurePosixPath(n), text='x' * size)"
        " for n, size in (('a', 10), ('b', 5000))]))\n"
        "except PolsterError as error: sys.exit(f'{error.reason}; {error.hint}')",
        tmp_path / "shop",
        setup=no_file_longer_than(4096),
    )
    assert done.stderr == "could not write: File too large; nothing was changed\n"
    assert names(tmp_path) == ["shop"]


@pytest.mark.parametrize("locked", ["project", "project/src", "project/data/silver"])
def test_no_permission(project: Path, locked: str) -> None:
    folder = project.parent / locked
    folder.chmod(0o555)
    done = python(
        "-c",
        f"{PRELUDE}try:\n    apply(everything(root))\n"
        "except PolsterError as error: sys.exit(f'{error.reason}; {error.hint}')",
        project,
        setup=bound_by_permissions,
    )
    folder.chmod(0o755)
    assert done.stderr.startswith("could not write: /")
    assert done.stderr.endswith(": Permission denied; nothing was changed\n")
    assert files(project) == BEFORE
    assert not leftovers(project)


def test_no_permission_for_a_new_project(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o555)
    done = python(
        "-c",
        f"{PRELUDE}try:\n    apply(draft(root, [NewFile(path=PurePosixPath('a'), text='')]))\n"
        "except PolsterError as error: sys.exit(error.reason)",
        tmp_path / "home/shop",
        setup=bound_by_permissions,
    )
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == ["home"]
