"""Recovery: the next command undoes what a killed one left, and nothing that is not Polster's."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path, PurePosixPath

import pytest

from polster_core.errors import ApplyError, PlanError
from polster_core.plan import workspace
from polster_core.plan.apply import apply
from polster_core.plan.definition import draft
from polster_core.plan.journal import Journal, digest
from polster_core.plan.lock import turn
from polster_core.testing.projects import tree
from tests.kill_points import attempts, die
from tests.machine import bound_by_permissions, python, run
from tests.plan.everything import (
    AFTER,
    BEFORE,
    applied,
    everything,
    files,
    killed,
    killed_at_the_end,
    lay,
    operations,
    plan,
    recovered,
)

PRELUDE = """
import sys
from pathlib import Path
from polster_core.errors import PolsterError
from polster_core.plan.apply import apply
from polster_core.plan.lock import turn
from tests.plan.everything import everything, plan
root = Path(sys.argv[1])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay(tmp_path / "project", BEFORE)


def test_s1_what_somebody_wrote_since_stays_and_is_named(tmp_path: Path) -> None:
    """A user writes into every file that is there, and makes those again that are not."""
    named: list[str] = []
    for project in killed(tmp_path):
        lay(project, {path: f"mine: {path}" for path in {*files(project), *BEFORE}})
        written = files(project)
        (found,) = recovered(project).interrupted or (None,)
        after = files(project)
        for path, text in written.items():
            # Data folders go back to their names with all that is in them.
            former = path.replace("data/silver/clean", "data/silver/orders")
            assert text in {after.get(path), after.get(former)}, (project, path)
        named += found.undone.stays if found else []
        assert not list(workspace.changes(project)), project
    assert "src/updated.py was changed since: it stays so" in named
    assert "src/deleted.py is there again: it stays so" in named
    assert any(one.startswith("data/gold/old/ is there again: it stays so, and ") for one in named)


def test_s1_what_was_deleted_since_stays_deleted(tmp_path: Path) -> None:
    project = killed_at_the_end(tmp_path)
    (project / "src/updated.py").unlink()
    (one,) = recovered(project).interrupted
    assert one.undone.stays == ("src/updated.py was deleted since: it stays so",)
    assert files(project) == {
        path: text for path, text in BEFORE.items() if path != "src/updated.py"
    }


def test_s1_originals_that_were_not_put_back_are_kept(tmp_path: Path) -> None:
    project = killed_at_the_end(tmp_path)
    lay(project, {"src/updated.py": "new, and mine", "src/deleted.py": "mine"})
    (one,) = recovered(project).interrupted
    assert sorted(one.undone.stays) == [
        "src/deleted.py is there again: it stays so",
        "src/updated.py was changed since: it stays so",
    ]
    assert files(project) == {**BEFORE, "src/updated.py": "new, and mine", "src/deleted.py": "mine"}
    assert tree(project / one.undone.originals) == {
        "src/deleted.py": "old\n",
        "src/updated.py": "old\n",
    }


@pytest.mark.parametrize("change", ["owner", "user", "up", "absolute", "action", "kept", "text"])
def test_s2_a_journal_of_somebody_else_is_never_carried_out(tmp_path: Path, change: str) -> None:
    project = killed_at_the_end(tmp_path)
    before = files(project)
    lay(tmp_path, {"outside.py": "not the project's"})
    (folder,) = workspace.changes(project)
    text = json.loads((folder / "journal.json").read_text())
    first = next(one for one in text["operations"] if one["do"] == "write")
    first["after"] = digest(b"not the project's")
    if change == "owner":
        text["owner"] = "0" * 64
    elif change == "user":
        os.chown(folder, 4242, -1)
    else:
        first |= {
            "up": {"path": "../outside.py"},
            "absolute": {"path": str(tmp_path / "outside.py")},
            "action": {"do": "run"},
            "kept": {"kept": "../../../../outside.py"},
            "text": {"path": 1},
        }[change]
    (folder / "journal.json").write_text(json.dumps(text))
    found = recovered(project)
    assert found.foreign == (PurePosixPath(folder.relative_to(project)),)
    assert not found
    assert files(project) == before
    assert (tmp_path / "outside.py").read_text() == "not the project's"
    assert folder.is_dir(), "it is left to whom it belongs"


def test_s2_nothing_is_undone_through_a_link_out_of_the_project(tmp_path: Path) -> None:
    project = killed_at_the_end(tmp_path)
    outside = lay(tmp_path / "outside", {"updated.py": "new\n", "other.py": "old\n"})
    (project / "src").rename(tmp_path / "src")
    (project / "src").symlink_to(outside)
    (one,) = recovered(project).interrupted
    assert any(text.startswith("src/updated.py leads out of the") for text in one.undone.stays)
    assert any(text.startswith("src leads out of the project") for text in one.undone.stays)
    assert tree(outside) == {"updated.py": "new\n", "other.py": "old\n"}


def test_s2_what_is_reached_through_a_link_is_not_deleted(tmp_path: Path) -> None:
    lay(tmp_path, {"elsewhere/x.py": "theirs"})
    lay(tmp_path / "project", {"y": ""})
    (tmp_path / "project/src").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PlanError, match="leads out of the project"):
        draft(tmp_path / "project", deleted=[PurePosixPath("src/x.py")])


def test_s2_the_place_of_the_journal_is_not_reached_through_a_link(tmp_path: Path) -> None:
    lay(tmp_path, {"elsewhere/x": "", "project/y": "old"})
    (tmp_path / "project/.polster").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ApplyError, match=r"^\.polster/\.apply leads out of the project"):
        apply(plan(tmp_path / "project", y="new"))
    assert tree(tmp_path / "elsewhere") == {"x": ""}


def git(root: Path, *args: str) -> str:
    return run(["git", *args], cwd=root).stdout


def test_s3_git_sees_nothing_of_a_killed_command(tmp_path: Path) -> None:
    seen = 0
    for project in killed(tmp_path):
        git(project, "init", "-q")
        git(project, "add", "--all")
        staged = git(project, "ls-files").splitlines()
        assert not [name for name in staged if ".polster" in name], project
        seen += len(staged)
    assert seen > 50


ENV = "TOKEN=hunter2\n"


def test_s3_a_secret_is_in_env_only_at_every_kill_point(tmp_path: Path) -> None:
    for attempt in attempts():
        project = lay(tmp_path / f"killed-{attempt}", {".env": ENV, "a.py": "old = 1\n"})
        (project / ".env").chmod(0o600)
        grown = {".env": f"{ENV}\n# Who\nCRM_USER=\n", "a.py": "new = 1\n"}
        if applied(plan(project, **grown), die, attempt)[0] == 0:
            break
        holders = [name for name, text in tree(project).items() if "hunter2" in text]
        assert holders == [".env"], attempt
        is_made = [one.finished for one in recovered(project).interrupted] == [True]
        expected = grown if is_made else {".env": ENV, "a.py": "old = 1\n"}
        assert files(project) == expected, attempt
        assert (project / ".env").stat().st_mode & 0o077 == 0
    assert attempt > 8
    assert files(project) == grown
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600


def test_s3_half_a_line_is_cut_off_and_a_users_own_line_is_not(tmp_path: Path) -> None:
    project = lay(tmp_path / "project", {".env": ENV})
    drafted = plan(project, **{".env": f"{ENV}CRM_USER=\nCRM_PASSWORD=\n"})
    for since, expected in (("CRM_US", ENV), ("CRM_USER=me\n", f"{ENV}CRM_USER=me\n")):
        journal = Journal.of(drafted)
        journal.stage(drafted)
        (project / ".env").write_text(ENV + since)
        recovered(project)
        assert (project / ".env").read_text() == expected


@pytest.mark.parametrize("name", [".env", ".env.prod", "config/.env"])
def test_s3_files_of_secrets_are_made_for_their_owner_alone(tmp_path: Path, name: str) -> None:
    apply(plan(tmp_path / "new", **{name: "TOKEN=x", ".env.example": "TOKEN="}))
    (tmp_path / "there").mkdir()
    lay(tmp_path / "there", {"x": ""})
    apply(plan(tmp_path / "there", **{name: "TOKEN=x"}))
    for root in ("new", "there"):
        assert stat.S_IMODE((tmp_path / root / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new/.env.example").stat().st_mode) == 0o644


def test_what_cannot_be_undone_is_named(project: Path) -> None:
    """The worst case: the folder is taken away from us between the write and the undo."""
    done = python(
        "-c",
        f"{PRELUDE}from tests.kill_points import make_fragile\n"
        "def fail():\n"
        "    (root / 'src').chmod(0o555)\n"
        "    raise OSError(28, 'No space left on device')\n"
        f"drafted = everything(root)\nmake_fragile(fail, {operations() - 2})\n"
        "try:\n    apply(drafted)\n"
        "except PolsterError as error: print(type(error).__name__, error.undone, error.reason,"
        " *error.details, error.hint, sep='\\n')",
        project,
        setup=bound_by_permissions,
    )
    (project / "src").chmod(0o755)
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "ApplyError",
        "False",
        "could not write: No space left on device, and not everything could be undone",
    ]
    assert "src/deleted.py: Permission denied" in lines
    assert lines[-1] == "check these by hand"
    assert recovered(project), "the journal stayed, and finishes the job once it can"
    assert files(project) == BEFORE


def test_recovery_that_fails_says_where_the_originals_are(tmp_path: Path) -> None:
    project = killed_at_the_end(tmp_path)
    (folder,) = workspace.changes(project)
    (project / "src").chmod(0o555)
    done = python(
        "-c",
        f"{PRELUDE}try:\n    apply(plan(root, new='x'))\n"
        "except PolsterError as error: print(error.reason, *error.details, error.hint, sep='\\n')",
        project,
        setup=bound_by_permissions,
    )
    (project / "src").chmod(0o755)
    reason, *details, hint = done.stdout.splitlines()
    assert (
        reason
        == "rename-asset silver_orders silver_clean was killed, and its changes cannot be undone"
    )
    assert "src/deleted.py: Permission denied" in details
    assert hint == f"the original files are in {folder}"
    assert recovered(project), "the journal stayed, and finishes the job once it can"
    assert files(project) == BEFORE


def test_a_running_command_is_left_alone(project: Path) -> None:
    """Whoever does not have the turn looks at nothing; whoever has it, is alone."""
    with turn(project):
        drafted = everything(project)
        journal = Journal.of(drafted)
        journal.stage(drafted)
        journal.run()
        done = python(
            "-c",
            f"{PRELUDE}try:\n    with turn(root, seconds=0): print('in')\n"
            "except PolsterError as error: print(error.reason)",
            project,
        )
    assert done.stdout == "another Polster command is still changing this project\n"
    journal.commit()
    journal.tidy()
    assert files(project) == AFTER
