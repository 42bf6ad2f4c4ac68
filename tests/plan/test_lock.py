"""Writers of a project take turns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polster_core.errors import BusyProjectError
from polster_core.plan.lock import turn
from tests.conftest import names
from tests.kill_points import forked

WRITERS, TURNS = 6, 40


def test_v1_no_two_have_it_at_once_and_nothing_is_left(tmp_path: Path) -> None:
    """Each adds one to a number, over and over; the file of the lock comes and goes with each."""
    number = tmp_path / "number"
    number.write_text("0")
    children = []
    for _ in range(WRITERS):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for _ in range(TURNS):
                    with turn(tmp_path):
                        number.write_text(str(int(number.read_text()) + 1))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * WRITERS
    assert number.read_text() == str(WRITERS * TURNS)
    assert names(tmp_path) == ["number"]


def test_v1_turns_of_one_process_may_be_nested(tmp_path: Path) -> None:
    with turn(tmp_path), turn(tmp_path):
        pass
    assert names(tmp_path) == []


def test_v1_whoever_waits_too_long_is_told(tmp_path: Path) -> None:
    def other() -> int:
        said: list[str] = []
        # A copy of this process has no turn of its own yet.
        from polster_core.plan import lock

        lock._held.clear()
        with (
            pytest.raises(BusyProjectError, match="another Polster command is still changing"),
            turn(tmp_path, seconds=0, waiting=lambda: said.append("waiting")),
        ):
            pass
        return 0 if said == ["waiting"] else 1

    with turn(tmp_path):
        assert forked(other, lambda: None, -1) == (0, "")


def test_v1_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    (project / ".polster/.apply").mkdir(parents=True)
    outside.write_text("theirs")
    (project / ".polster/.apply/lock").symlink_to(outside)
    with pytest.raises(OSError, match="symbolic link"), turn(project):
        pass
    assert outside.read_text() == "theirs"
