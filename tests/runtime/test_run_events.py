"""What listeners hear of runs that the daemon looks after."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from polster_runtime.config.settings import settings
from polster_runtime.dagster import alerts, recovery, run_process
from polster_runtime.execution import events
from polster_runtime.execution.alerts import Alerts
from polster_runtime.execution.events import Run, RunListener
from polster_runtime.testing.listener_contract import RunListenerContract
from tests.docs.markdown import blocks

PAGE = Path(__file__).parents[2] / "docs/guides/plugins.md"


@dataclass
class Heard(RunListener):
    """Keeps what it hears."""

    told: list[tuple[str, str, *tuple[str, ...]]] = field(default_factory=list)

    def run_started(self, run: Run) -> None:
        """Note the run."""
        self.told.append(("started", run.id))

    def run_finished(self, run: Run) -> None:
        """Note the run."""
        self.told.append(("finished", run.id))

    def run_failed(self, run: Run, reasons: Sequence[str]) -> None:
        """Note the run, and why."""
        self.told.append(("failed", run.id, *reasons))

    def checks_failed(self, run: Run, found: Sequence[str]) -> None:
        """Note the run, and what was found."""
        self.told.append(("checks", run.id, *found))


class TestAlerts(RunListenerContract):
    """The listener of every project."""

    @pytest.fixture(params=["", "json://127.0.0.1:1/ nonsense"])
    def listener(self, request: pytest.FixtureRequest) -> RunListener:
        """Tell nobody, or somebody who is not there."""
        os.environ["ALERT_URLS"] = request.param
        return Alerts()


class TestBus(RunListenerContract):
    """The one that the guide to plugins shows."""

    @pytest.fixture
    def listener(self) -> RunListener:
        """Carry out the page."""
        (shown,) = (one.text for one in blocks(PAGE.read_text("utf-8")) if "Bus" in one.text)
        made: dict[str, Any] = {}
        exec(shown, made)  # noqa: S102 - a page of ours
        found = made["listener"]()
        assert isinstance(found, RunListener)
        return found


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """Be a project with a listener of its own."""
    listener = Heard()
    for module in (alerts, events):
        monkeypatch.setattr(module, "is_followed", lambda: True)
    with events.listening(listener):
        yield listener


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@dg.asset(check_specs=[dg.AssetCheckSpec("fits", asset="good")])
def good() -> Iterator[object]:
    """Yield what a check does not like."""
    yield dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(
                check_name="fits",
                passed=False,
                severity=dg.AssetCheckSeverity.WARN,
                description="too big",
            )
        ]
    )


@dg.asset
def bad() -> None:
    """Fail."""
    raise dg.Failure("no such table", allow_retries=False)


def run(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition) -> str:
    return dg.materialize(assets, instance=instance, raise_on_error=False).run_id


def look(instance: dg.DagsterInstance, run_id: str) -> None:
    """Let each sensor look at what a run says, as the daemon does."""
    statuses = {
        dg.DagsterEventType.RUN_START: "tell_started_run",
        dg.DagsterEventType.RUN_FAILURE: "alert_failed_run",
        dg.DagsterEventType.RUN_SUCCESS: "alert_failed_check",
    }
    sensors = {one.name: one for one in alerts.alert_sensors()}
    found = instance.get_run_by_id(run_id)
    assert found
    for entry in instance.all_logs(run_id, of_type={*statuses}):
        event = entry.get_dagster_event()
        sensor = sensors[statuses[event.event_type]]
        sensor(dg.build_run_status_sensor_context(sensor.name, event, instance, found))


def test_each_run_is_told_of(instance: dg.DagsterInstance, heard: Heard) -> None:
    fine, failed = run(instance, good), run(instance, bad)
    look(instance, fine)
    look(instance, failed)
    assert heard.told == [
        ("started", fine),
        ("finished", fine),
        ("checks", fine, "good: fits too big"),
        ("started", failed),
        ("failed", failed, "bad: no such table"),
    ]


def test_what_its_own_process_told_is_not_told_again(
    instance: dg.DagsterInstance, heard: Heard
) -> None:
    failed = run(instance, bad)
    instance.add_run_tags(failed, alerts.tell_start(failed))
    alerts.tell_at_once(instance, failed)
    look(instance, failed)
    assert [what for what, *_ in heard.told] == ["started", "failed"]


@pytest.mark.parametrize("telling", ["run_polster", "sensor"])
def test_a_killed_run_is_told_of_once(
    telling: str, instance: dg.DagsterInstance, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the process that finds it, or by the sensor; one that a person had stopped is not."""
    job = dg.Definitions([good], jobs=[dg.define_asset_job("all")]).resolve_job_def("all")
    runs = [instance.create_run_for_job(job) for _ in range(2)]
    killed, stopped = (one.run_id for one in runs)
    instance.report_run_canceling(runs[1])
    run_process._folder().mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(run_process, "known", lambda: iter([killed, stopped, killed]))
    recovery.settle(instance, told=telling == "run_polster")
    for run_id in (killed, stopped):
        look(instance, run_id)
    assert heard.told == [("failed", killed, "the process of this run was killed")]


def test_nobody_is_told_where_nobody_listens() -> None:
    """The sensors are there, and stopped; that of starting runs is not: alerts need none."""
    assert settings().alert_urls == ""
    sensors = alerts.alert_sensors()
    assert {one.default_status for one in sensors} == {dg.DefaultSensorStatus.STOPPED}
    assert "tell_started_run" not in {one.name for one in sensors}
    assert alerts.tell_start("any") == {}
