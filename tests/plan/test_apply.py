"""Applying a plan: all or nothing, whatever happens."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from polster_core.errors import ApplyError, PlanStaleError
from polster_core.plan.apply import apply, recover
from polster_core.plan.definition import Plan, draft
from polster_core.testing.projects import tree
from polster_core.types import NewFile
from tests.conftest import names
from tests.machine import bound_by_permissions, no_file_longer_than, python

PRELUDE = """
import os, signal, sys
from pathlib import Path, PurePosixPath
from polster_core.plan import apply as module
from polster_core.plan.apply import apply
from polster_core.errors import PolsterError
from polster_core.plan.definition import draft
from polster_core.types import NewFile
root = Path(sys.argv[1])
"""
# A project in which one plan does everything that a plan can do.
BEFORE = {
    "src/updated.py": "old\n",
    "src/deleted.py": "old\n",
    "src/renamed.py": "old\n",
    "src/edited.py": "old\n",
    "data/silver/orders/1.parquet": "rows",
    "data/gold/old/1.parquet": "rows",
}
AFTER = {
    "src/updated.py": "new\n",
    "src/other.py": "old\n",
    "src/edited_too.py": "new\n",
    "src/a/b/created.py": "new\n",
    "data/silver/clean/1.parquet": "rows",
}
EVERYTHING = """
P = PurePosixPath
def everything(root):
    return draft(
        root,
        [NewFile(path=P(path), text="new\\n")
         for path in ("src/updated.py", "src/edited_too.py", "src/a/b/created.py")],
        deleted=[P("src/deleted.py"), P("data/gold/old")],
        moved={P("src/renamed.py"): P("src/other.py"), P("src/edited.py"): P("src/edited_too.py"),
               P("data/silver/orders"): P("data/silver/clean")},
    )
"""
# Every call that changes the disk, in order; `at` says which one goes wrong.
FAIL_AT = """
calls = iter(range(1000))
def fragile(function):
    def call(*args, **kwargs):
        if next(calls) == int(sys.argv[2]):
            fail()
        return function(*args, **kwargs)
    return call
for name in ("rename", "replace", "mkdir", "write_bytes", "write_text", "hardlink_to"):
    setattr(Path, name, fragile(getattr(Path, name)))
"""


def lay(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def plan(root: Path, **files: str) -> Plan:
    return draft(
        root, [NewFile(path=PurePosixPath(path), text=text) for path, text in files.items()]
    )


def everything(root: Path) -> Plan:
    scope: dict[str, object] = {}
    exec(PRELUDE.replace("root = Path(sys.argv[1])", "") + EVERYTHING, scope)  # noqa: S102 - ours
    drafted = scope["everything"](root)  # type: ignore[operator]
    assert isinstance(drafted, Plan)
    return drafted


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay(tmp_path / "project", BEFORE)


def test_does_everything(project: Path) -> None:
    (project / "data/gold/old").chmod(0o700)
    apply(everything(project))

    assert tree(project) == AFTER
    assert not [name for name in names(project) if ".polster" in name]


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
    assert tree(tmp_path) == {"real/settings": "new", "settings": "-> real/settings"}


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
    assert tree(project) == {**BEFORE, "src/updated.py": "theirs"}


@pytest.mark.parametrize("taken", ["src/other.py", "data/silver/clean"])
def test_a_name_that_was_taken_meanwhile_is_refused(project: Path, taken: str) -> None:
    drafted = everything(project)
    (project / taken).mkdir()
    with pytest.raises(PlanStaleError, match=taken):
        apply(drafted)


def test_failure_at_every_single_step_leaves_everything_as_it_was(project: Path) -> None:
    fail = "def fail(): raise OSError(28, 'No space left on device')"
    attempts = 0
    for attempt in steps():
        done = python(
            "-c",
            f"{PRELUDE}{EVERYTHING}drafted = everything(root)\n{fail}{FAIL_AT}"
            "try:\n    apply(drafted)\n"
            "except PolsterError as error: sys.exit(f'{error.reason}; {error.hint}')",
            project,
            str(attempt),
        )
        if done.returncode == 0:
            break
        attempts += 1
        assert done.stderr == "could not write: No space left on device; nothing was changed\n"
        assert tree(project) == BEFORE, attempt
        assert not [name for name in names(project) if ".polster" in name], attempt
        assert not (project / "src/a").exists(), attempt
    assert attempts > 15
    assert tree(project) == AFTER


def test_ctrl_c_at_every_single_step_leaves_everything_as_it_was(project: Path) -> None:
    fail = "def fail(): os.kill(os.getpid(), signal.SIGINT)"
    for attempt in steps():
        done = python(
            "-c",
            f"{PRELUDE}{EVERYTHING}drafted = everything(root)\n{fail}{FAIL_AT}"
            "try:\n    apply(drafted)\nexcept KeyboardInterrupt: sys.exit(130)",
            project,
            str(attempt),
        )
        if done.returncode == 0:
            break
        assert (done.returncode, done.stderr) == (130, "")
        assert tree(project) == BEFORE, attempt
        assert not [name for name in names(project) if ".polster" in name], attempt
    assert tree(project) == AFTER


def test_kill_at_every_single_step_is_taken_back_by_the_next_command(project: Path) -> None:
    fail = "def fail(): os.kill(os.getpid(), signal.SIGKILL)"
    found = []
    for attempt in steps():
        done = python(
            "-c",
            f"{PRELUDE}{EVERYTHING}drafted = everything(root)\n{fail}{FAIL_AT}apply(drafted)",
            project,
            str(attempt),
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        found.append(recover(project))
        assert tree(project) == BEFORE, attempt
        assert not [name for name in names(project) if ".polster" in name], attempt
    assert found[-10:] == [True] * 10
    assert tree(project) == AFTER


def test_what_a_killed_command_left_does_not_stand_in_the_way(project: Path) -> None:
    python(
        "-c",
        f"{PRELUDE}{EVERYTHING}drafted = everything(root)\n"
        f"def fail(): os.kill(os.getpid(), signal.SIGKILL)\n{FAIL_AT}apply(drafted)",
        project,
        "13",
    )
    assert tree(project) != BEFORE
    with pytest.raises(PlanStaleError, match="an earlier command was killed half-way"):
        apply(plan(project, **{"src/updated.py": "mine"}))
    assert tree(project) == BEFORE
    apply(everything(project))
    assert tree(project) == AFTER


def test_a_new_project_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "shop"
    script = (
        f"{PRELUDE}drafted = draft(root, [NewFile(path=PurePosixPath(p), text=p) for p in "
        "('README.md', 'src/core/a.py', 'src/core/b.py')])\n"
        f"def fail(): os.kill(os.getpid(), signal.SIGKILL)\n{FAIL_AT}apply(drafted)"
    )
    killed = 0
    for attempt in steps():
        done = python("-c", script, target, str(attempt))
        if done.returncode == 0:
            break
        killed += 1
        assert not target.exists(), attempt
    assert killed > 5
    assert names(tmp_path) == [
        "shop",
        "shop/README.md",
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
        f"{PRELUDE}{EVERYTHING}try:\n    apply(everything(root))\n"
        "except PolsterError as error: sys.exit(f'{error.reason}; {error.hint}')",
        project,
        setup=bound_by_permissions,
    )
    folder.chmod(0o755)
    assert done.stderr.startswith("could not write: /")
    assert done.stderr.endswith(": Permission denied; nothing was changed\n")
    assert tree(project) == BEFORE
    assert not [name for name in names(project) if ".polster" in name]


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


def test_what_cannot_be_taken_back_is_named(project: Path) -> None:
    """The worst case: the folder is taken away from us between the write and the undo."""
    done = python(
        "-c",
        f"{PRELUDE}{EVERYTHING}drafted = everything(root)\n"
        "def fail():\n"
        "    (root / 'src').chmod(0o555)\n"
        "    raise OSError(28, 'No space left on device')\n"
        f"{FAIL_AT}"
        "try:\n    apply(drafted)\n"
        "except PolsterError as error: print(type(error).__name__, error.undone, error.reason,"
        " *error.details, error.hint, sep='\\n')",
        project,
        "13",
        setup=bound_by_permissions,
    )
    (project / "src").chmod(0o755)
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "ApplyError",
        "False",
        "could not write: No space left on device, and not everything could be taken back",
    ]
    assert "src/deleted.py: Permission denied" in lines
    assert lines[-1] == "check these by hand"
    assert recover(project), "the journal stayed, and finishes the job once it can"
    assert tree(project) == BEFORE


def test_recovery_that_fails_says_where_the_originals_are(project: Path) -> None:
    left = project / ".polster/.apply-4194305-00000000"
    lay(left, {"old-0": "old\n"})
    (left / "journal.json").write_text(
        '[{"do": "write", "path": "gone/x.py", "staged": "new-0", "kept": "old-0"}]'
    )
    with pytest.raises(ApplyError) as caught:
        apply(plan(project, new="x"))
    assert caught.value.details == ("gone/x.py: No such file or directory",)
    assert caught.value.hint == f"the originals are in {left}"


def test_a_running_command_is_left_alone(project: Path) -> None:
    left = lay(project / f".polster/.apply-{os.getppid()}-00000000", {"new-0": "x"})
    assert not recover(project)
    assert (left / "new-0").exists()


def steps() -> Iterator[int]:
    return iter(range(200))
