"""A second daemon on one history is noticed; one that follows another is not."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from polster_runtime.dagster import heartbeats
from polster_runtime.dagster.heartbeats import ADVICE, Heartbeats


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Return one with an empty history; it may be looked at as often as one likes."""
    monkeypatch.setattr(heartbeats, "LOOK_SECONDS", 0.0)
    with dg.DagsterInstance.ephemeral() as one:
        yield one


def beat(instance: dg.DagsterInstance, daemon: str, second: float) -> None:
    """Write the heartbeats of a daemon."""
    for number, kind in enumerate(("SENSOR", "SCHEDULER")):
        instance.add_daemon_heartbeat(DaemonHeartbeat(second + number / 10, kind, daemon))


def test_a_daemon_that_is_started_again_is_one(instance: dg.DagsterInstance) -> None:
    seen = Heartbeats(instance)
    assert seen.advice() == ""
    for second, daemon in enumerate(("old", "old", "new", "new", "third"), 1):
        beat(instance, daemon, second)
        assert seen.advice() == ""
        assert seen.advice() == "", "nothing is new"


def test_two_that_take_turns_are_told_once(instance: dg.DagsterInstance) -> None:
    seen = Heartbeats(instance)
    said = []
    for second, daemon in enumerate(("one", "other", "one", "other", "one"), 1):
        beat(instance, daemon, second)
        said.append(seen.advice())
    assert said == ["", "", ADVICE, "", ""]
