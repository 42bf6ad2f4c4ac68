"""The executor: steps in threads, each as soon as its own upstream is done."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg
import pytest

from polster_runtime.config import interruption
from polster_runtime.dagster import executor, executors, local_run, private

LONG = 60.0
"""Seconds after which what is waited for never comes."""

Asset = dg.AssetsDefinition


@pytest.fixture(autouse=True)
def not_interrupted() -> Iterator[None]:
    """Leave no interruption to the next test."""
    yield
    interruption.forget()


def asset(key: str, code: Callable[[], Any], *deps: str, **how: Any) -> Asset:
    """Return an asset that runs some code."""

    def made() -> None:
        code()

    found: Asset = dg.asset(name=key, deps=list(deps), **how)(made)
    return found


def outcome(*assets: Asset, **how: Any) -> tuple[str, dict[str, str]]:
    """Run assets; return the state of the run, and how each of the steps ended."""
    found = dg.Definitions(
        assets=assets,
        jobs=[dg.define_asset_job("all_assets", **how)],
        executor=executors.executor(),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        run_id, keys = str(uuid.uuid4()), {asset.key for asset in assets}
        events = local_run.execute(instance, found, keys, run_id, {})
        run = instance.get_run_by_id(run_id)
        assert run is not None
        return run.status.value, dict(ended(events))


def ended(events: Sequence[dg.DagsterEvent]) -> Iterator[tuple[str, str]]:
    """Yield steps, and the last that is known of each."""
    for event in events:
        if event.is_step_success or event.is_step_failure or event.is_step_up_for_retry:
            yield str(event.step_key), event.event_type_value.removeprefix("STEP_")


def nothing() -> None:
    """Do what an asset does that is done at once."""


def test_r2_a_slow_source_holds_back_only_what_depends_on_it() -> None:
    golds = {name: threading.Event() for name in "abc"}

    def slow() -> None:
        """Return only after what does not depend on it is published."""
        for event in golds.values():
            assert event.wait(LONG), "gold waits for another's source"

    chains = [
        each
        for name, event in golds.items()
        for each in (
            asset(f"run_bronze_{name}", nothing),
            asset(f"run_silver_{name}", nothing, f"run_bronze_{name}"),
            asset(f"run_gold_{name}", event.set, f"run_silver_{name}"),
        )
    ]
    status, steps = outcome(asset("run_bronze_slow", slow), *chains)
    assert (status, len(steps), {*steps.values()}) == ("SUCCESS", 10, {"SUCCESS"})


class Together:
    """Counts who is in a block at the same time."""

    def __init__(self, wanted: int) -> None:
        """Nobody is in it; as many as are wanted are to meet there."""
        self.lock, self.now, self.most = threading.Lock(), 0, 0
        self.meeting = threading.Barrier(wanted, timeout=120)

    def __call__(self) -> None:
        """Stay in it until all are there, and for a while, in which more may come."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.meeting.wait()
        time.sleep(0.1)
        with self.lock:
            self.now -= 1


@pytest.mark.parametrize(
    ("layer", "setting"), [("bronze", "BRONZE_THREADS"), ("silver", "COMPUTE_THREADS")]
)
@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_at_once_than_the_setting_allows(
    layer: str, setting: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, str(limit))
    together = Together(limit)
    status, steps = outcome(*(asset(f"run_{layer}_{name}", together) for name in "abcdef"))
    assert (status, len(steps)) == ("SUCCESS", 6)
    assert together.most == limit


def test_a_failing_branch_stops_no_other() -> None:
    def fail() -> None:
        raise ValueError("no")

    status, steps = outcome(
        asset("run_bronze_a", fail),
        asset("run_silver_a", nothing, "run_bronze_a"),
        asset("run_bronze_b", nothing),
        asset("run_silver_b", nothing, "run_bronze_b"),
    )
    assert status == "FAILURE"
    assert steps == {
        "run_bronze_a": "FAILURE",
        "run_bronze_b": "SUCCESS",
        "run_silver_b": "SUCCESS",
    }


def test_sys_exit_is_the_failure_of_its_step() -> None:
    def leave() -> None:
        raise SystemExit(3)

    status, steps = outcome(asset("run_bronze_a", leave), asset("run_bronze_b", nothing))
    assert status == "FAILURE"
    assert steps == {"run_bronze_a": "FAILURE", "run_bronze_b": "SUCCESS"}


def test_a_source_is_tried_again_while_others_go_on() -> None:
    tries, other = list[float](), threading.Event()

    def flaky() -> None:
        tries.append(time.monotonic())
        if len(tries) == 1:
            raise ConnectionError("busy")
        assert other.wait(LONG)

    policy = dg.RetryPolicy(max_retries=1, delay=0.2)
    status, steps = outcome(
        asset("run_bronze_a", flaky, retry_policy=policy), asset("run_bronze_b", other.set)
    )
    assert (status, {*steps.values()}) == ("SUCCESS", {"SUCCESS"})
    assert tries[1] - tries[0] >= 0.2


def test_assets_that_are_coroutines_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=LONG)

    def coroutine(name: str) -> Asset:
        @dg.asset(name=name)
        async def made() -> None:
            await asyncio.sleep(0.01)
            both.wait()

        return made

    status, steps = outcome(coroutine("run_bronze_a"), coroutine("run_bronze_b"))
    assert (status, len(steps)) == ("SUCCESS", 2)


def test_hooks_are_called() -> None:
    called = []

    @dg.success_hook
    def note(context: dg.HookContext) -> None:
        called.append(context.op.name)

    status, _ = outcome(asset("run_bronze_a", nothing), hooks={note})
    assert (status, called) == ("SUCCESS", ["run_bronze_a"])


def test_what_a_blocking_check_refuses_is_passed_on_to_nobody() -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("contract", asset="run_silver_a", blocking=True)])
    def run_silver_a() -> dg.MaterializeResult:  # type: ignore[type-arg]
        return dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(check_name="contract", passed=False)]
        )

    status, steps = outcome(run_silver_a, asset("run_gold_a", nothing, "run_silver_a"))
    assert (status, "run_gold_a" in steps) == ("FAILURE", False)


def test_r1_after_an_interruption_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "WIND_UP_SECONDS", 0.5)
    published = list[str]()

    def hang() -> None:
        threading.Event().wait()

    def stop() -> None:
        interruption.interrupt()

    began = time.monotonic()
    status, steps = outcome(
        asset("run_bronze_hangs", hang),
        asset("run_bronze_a", stop),
        asset("run_silver_a", lambda: published.append("a"), "run_bronze_a"),
    )
    assert time.monotonic() - began < LONG / 2
    assert (status, published) == ("FAILURE", [])
    assert "run_silver_a" not in steps


@pytest.mark.parametrize("name", private.THREADS)
def test_without_what_it_is_built_on_dagsters_own_executor_runs(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = private.find
    monkeypatch.setattr(private, "find", lambda path: None if path == name else there(path))
    assert executors.executor() is dg.in_process_executor
    status, steps = outcome(asset("run_bronze_a", nothing))
    assert (status, steps) == ("SUCCESS", {"run_bronze_a": "SUCCESS"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", executor.threads_executor),
        ("in_process", executor.threads_executor),
        ("Threads", executor.threads_executor),
        ("multiprocess", dg.multiprocess_executor),
    ],
)
def test_the_setting(value: str, expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXECUTOR", value)
    assert executors.executor() is expected
