"""Partitions that workers share: what is given out, lost, refused, and what the step is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from polster_runtime.dagster.engines.engine import Engine, State
from polster_runtime.dagster.engines.partitions import Spread
from polster_runtime.dagster.engines.tasks import LOST_TRIES, Task, Tasks
from polster_runtime.dagster.partitioned_step import known_outcomes
from tests.runtime.conftest import CoreFile
from tests.runtime.test_partitions import BRONZE, Shop

pytestmark = [pytest.mark.usefixtures("home")]


class Paper(Engine):
    """An engine of a third party whose workers are the test: it notes what it is given."""

    name = "Paper"

    def __init__(self) -> None:
        """Have no task."""
        self.tasks = dict[str, Task]()
        self.states = dict[str, State]()
        self.canceled = list[str]()

    def workers(self) -> Mapping[str, Mapping[str, str] | str]:
        """Have none that could say what it is."""
        return {}

    def start(self, key: str, task: str, wanted: Mapping[str, str]) -> None:
        """Note a task."""
        assert wanted
        self.tasks[key] = Task.of(task)

    def state(self, key: str) -> State:
        """Return what the test has said of a task."""
        return self.states.get(key, State())

    def cancel(self, key: str) -> None:
        """Note that."""
        self.canceled.append(key)

    def close(self) -> None:
        """Have nothing to close."""


@pytest.fixture
def paper(project: Path) -> Paper:
    assert project
    return Paper()


def spread(paper: Paper, *partitions: str) -> Spread:
    return Spread(Tasks(paper), "try", "step", partitions)


def test_no_more_at_once_than_the_setting_and_all_are_done(paper: Paper) -> None:
    given = spread(paper, "a", "b", "c")
    assert [*given.go_on(2)] == []
    assert [task.partition for task in paper.tasks.values()] == ["a", "b"]
    done = State(over=True, refused=json.dumps({"error": ""}))
    paper.states["try/b/0"] = done
    assert [*given.go_on(2)] == []
    assert paper.tasks["try/c/0"] == Task("step", "c")
    assert not given.is_over
    paper.states |= {"try/a/0": done, "try/c/0": done}
    assert [*given.go_on(2)] == []
    assert given.is_over
    assert given.known == {key: {"error": ""} for key in "abc"}


def test_a_lost_one_is_given_out_again_and_then_left_to_the_step(paper: Paper) -> None:
    given = spread(paper, "a")
    assert [*given.go_on(1)] == []
    for number in range(LOST_TRIES + 1):
        paper.states[f"try/a/{number}"] = State(lost="its worker is gone")
        assert [*given.go_on(1)] == [("a", number)]
    assert given.is_over
    assert given.known == {}
    assert [task.number for task in paper.tasks.values()] == [*range(LOST_TRIES + 1)]


def test_after_a_refusal_and_a_stop_none_is_given_out(paper: Paper) -> None:
    given = spread(paper, "a", "b", "c")
    assert [*given.go_on(2)] == []
    paper.states["try/a/0"] = State(over=True, refused="this worker has the code old")
    assert [*given.go_on(2)] == []
    assert given.refused == "this worker has the code old"
    assert given.stop() == paper.canceled == ["try/b/0"]
    assert paper.tasks.keys() == {"try/a/0", "try/b/0"}


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_the_step_computes_what_others_have_not_and_tells_of_all(
    project: Path, core_file: CoreFile
) -> None:
    shop = Shop(project, core_file)
    failed = {"error": "the source is gone", "retryable": False}
    same: dict[str, object] = {"added": {}, "removed": {}, "retyped": {}, "usual_rows": None}
    there = {"drift": same, "columns": {"day": "String"}}
    known = {"2026-01-05": there, "2026-01-06": failed}
    token = known_outcomes.set(known)
    try:
        done = shop.run("bronze_days", partition="2026-01-05..2026-01-08")
    finally:
        known_outcomes.reset(token)
    told = "1 of 4 partitions failed, the others are done: 2026-01-06: the source is gone"
    assert done["bronze_days"]["error"] == told
    assert shop.recorded(BRONZE) == {"2026-01-07", "2026-01-08"}
