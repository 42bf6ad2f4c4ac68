"""Replays of increments: what was rejected comes in, once, and under what came later."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution import quarantine
from polster_runtime.execution.result import ONCE_MORE
from polster_runtime.storage import compaction
from polster_runtime.storage.registry import store

from .conftest import CoreFile
from .test_increments import (
    CUSTOMERS,
    EVENTS,
    HISTORY,
    LOG,
    ORDERS,
    SCHEMA,
    Changes,
    Clock,
    Pipeline,
    expected,
    read,
    run,
)

CHECKED_LOG = LOG.replace(
    "    def transform",
    """    class Contract(dy.Schema):
        order_id = dy.Int64(nullable=False)
        amount = dy.Int64(nullable=False, min=60)
        version = dy.Int64(primary_key=True)


    def transform""",
)
# Versions of different remainders are bad for as long as the contract says so.
HELD_BACK = """
        @dy.rule()
        def allowed(cls) -> pl.Expr:
            return pl.col("version") % 7 >= BAD[0]


    BAD = [2]

"""
SILVER = ("silver_orders", "silver_log", "silver_history")


def held_back(text: str) -> str:
    """Return a core file whose contract rejects some versions, fewer as BAD goes down."""
    head, _, tail = text.partition("    def transform")
    return f"{head.rstrip()}\n{HELD_BACK}    MAX_REJECTED = 1.0\n\n\n    def transform{tail}"


@pytest.fixture
def pipeline(project: Path, core_file: CoreFile) -> Pipeline:
    """Return a change log and what is kept of it, by contracts that reject rows."""
    folder = project / "src" / "orchestration" / "assets" / "silver"
    folder.mkdir(parents=True)
    for name in SILVER:
        text = f'@dg.asset(deps=["run_bronze_events"])\ndef run_{name}(context): ...\n'
        (folder / f"run_{name}.py").write_text(text, encoding="utf-8")
    history = held_back(HISTORY).replace('pl.col("version") %', 'pl.col("valid_from") %')
    return {
        "bronze_events": core_file("bronze_events", EVENTS),
        "silver_orders": core_file("silver_orders", held_back(ORDERS)),
        "silver_log": core_file("silver_log", held_back(CHECKED_LOG)),
        "silver_history": core_file("silver_history", history),
        "gold_customers": core_file("gold_customers", CUSTOMERS),
    }


def allow(pipeline: Pipeline, least: int) -> None:
    """Let the contracts reject fewer rows."""
    for name in SILVER:
        pipeline[name].BAD[0] = least


def replay(name: str) -> list[str | None]:
    """Run again what an asset has rejected; return what each run has read."""
    try:
        return [done.read for done in quarantine.replay(AssetId.parse(name))]
    except quarantine.NothingRejected:
        return []


@pytest.mark.parametrize("seed", range(2))
def test_replays_give_what_a_better_contract_would_have_given(
    pipeline: Pipeline, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)  # noqa: S311 - a game, no secret
    monkeypatch.setattr(compaction, "TOGETHER", dice.choice([4, 16]))
    monkeypatch.setattr(compaction, "UPSERT_WEIGHT", 0.1)
    monkeypatch.setattr(compaction, "GRACE", timedelta(0))
    changes, log, reads = Changes(dice), pipeline["bronze_events"].CHANGES, list[Any]()
    for night in range(12):
        some = changes.some(40 if night == 0 else dice.choice([1, 3, 6]))
        log.append(some if night else some.filter(pl.col("version") % 7 > 1))
        for name in pipeline:
            run(pipeline, name)
        if night in {5, 9}:
            allow(pipeline, 1)
            reads += [read for name in SILVER for read in replay(name)]
            allow(pipeline, 2 if night == 5 else 1)
    allow(pipeline, 0)
    reads += [read for name in SILVER for read in replay(name)]
    run(pipeline, "gold_customers")
    for name, frame in expected(pl.concat(log).lazy()):
        if name in pipeline:
            columns = frame.collect_schema().names()
            assert_frame_equal(read(name).select(columns), frame.collect(), check_row_order=False)
    assert not [*quarantine.all_batches()]
    assert reads.count(ONCE_MORE) > 3 or seed, reads


def change(order: int, status: str, version: int) -> pl.DataFrame:
    """Return one change of an order."""
    return pl.DataFrame([(order, 1, status, 60, version)], SCHEMA, orient="row")


def nights(pipeline: Pipeline, *changes: pl.DataFrame) -> None:
    """Run all assets for each change, after a first night of many orders."""
    first = [(order, 1, "new", 60, 7 * order + 6) for order in range(100, 150)]
    for frame in (pl.DataFrame(first, SCHEMA, orient="row"), *changes):
        pipeline["bronze_events"].CHANGES.append(frame)
        for name in pipeline:
            run(pipeline, name)


def status(order: int) -> list[str]:
    """Return the state of an order, if it is there."""
    return read("silver_orders").filter(order_id=order)["status"].to_list()


def test_what_came_later_stays_on_top(pipeline: Pipeline) -> None:
    bad, worse = change(1, "new", 7001), change(1, "paid", 7007)
    nights(pipeline, bad, change(1, "sent", 7006), change(2, "new", 7000), change(2, "x", 7008))
    assert (status(1), status(2)) == (["sent"], [])
    nights(pipeline, worse, change(1, "cancelled", 7009))
    allow(pipeline, 1)
    assert replay("silver_orders") == [ONCE_MORE] * 4
    assert (status(1), status(2)) == ([], ["x"])
    assert replay("silver_orders") == []  # what is bad still lies under what came later
    nights(pipeline, change(3, "new", 7013))
    assert status(3) == ["new"]


def test_killed_between_any_two_steps_of_a_replay(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights(pipeline, change(1, "new", 7001), change(2, "new", 7007), change(1, "paid", 7006))
    allow(pipeline, 0)
    clock = Clock(monkeypatch)
    for name in SILVER:
        clock.killed_at_each(partial(replay, name))
    assert clock.kills > 10
    for name, frame in expected(pl.concat(pipeline["bronze_events"].CHANGES).lazy()):
        if name in SILVER:
            columns = frame.collect_schema().names()
            assert_frame_equal(read(name).select(columns), frame.collect(), check_row_order=False)


def test_what_a_killed_run_has_rejected_is_in_no_ones_way(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights(pipeline)
    clock = Clock(monkeypatch)
    pipeline["bronze_events"].CHANGES.append(
        pl.concat([change(1, "new", 7001), change(2, "new", 7006)])
    )
    run(pipeline, "bronze_events")
    clock.killed_at_each(lambda: run(pipeline, "silver_orders"))
    batch = quarantine.latest(AssetId.parse("silver_orders"), store())
    assert batch.published
    assert batch.rows.collect().height == 1  # of the run that published, of no killed one
    assert (status(1), status(2)) == ([], ["new"])
