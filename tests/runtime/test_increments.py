"""Nights of random changes: what is kept by increments is what reading everything would give."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polster_runtime.assets.increments import logic_version, plan_of
from polster_runtime.config import paths
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, ContractBroken
from polster_runtime.execution import positions, quarantine, reading, shares
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.result import Materialized
from polster_runtime.storage import compaction, retention, staging
from polster_runtime.storage.description import described, newest
from polster_runtime.storage.registry import store
from polster_runtime.storage.store import Store

from .conftest import CoreFile
from .test_overtaking import Behind

EVENTS = """
    CHANGES = []


    def extract(position: int | None):
        for number, frame in enumerate(CHANGES):
            if position is None or number > position:
                yield frame
                position = number
        return position
"""
ORDERS = """
    from polster_runtime import New, Upsert


    class Contract(dy.Schema):
        order_id = dy.Int64(primary_key=True)
        customer_id = dy.Int64(nullable=False)
        status = dy.String(nullable=False)
        amount = dy.Int64(nullable=False, min=0)
        version = dy.Int64(nullable=False)


    def transform(events: New) -> Upsert:
        last = events.sort("version").unique("order_id", keep="last", maintain_order=True)
        return last.with_columns(_deleted=pl.col("status") == "cancelled")
"""
HISTORY = """
    from typing import Annotated

    from polster_runtime import Touched, Upsert


    class Contract(dy.Schema):
        order_id = dy.Int64(primary_key=True)
        valid_from = dy.Int64(primary_key=True)
        valid_to = dy.Int64(nullable=True)
        status = dy.String(nullable=False)


    def transform(events: Annotated[pl.LazyFrame, Touched("order_id")]) -> Upsert:
        states = events.sort("order_id", "version").filter(
            pl.col("status").ne_missing(pl.col("status").shift(1).over("order_id"))
        )
        end = pl.col("version").shift(-1).over("order_id")
        return states.select("order_id", "status", valid_from="version", valid_to=end)
"""
LOG = """
    from polster_runtime import Append, New


    def transform(events: New) -> Append:
        return events.filter(pl.col("amount") > 50).select("order_id", "amount", "version")
"""
CUSTOMERS = """
    from typing import Annotated

    from polster_runtime import Touched, Upsert


    class Contract(dy.Schema):
        customer_id = dy.Int64(primary_key=True)
        orders = dy.UInt32(nullable=False, min=1)
        amount = dy.Int64(nullable=False)


    def aggregate(orders: Annotated[pl.LazyFrame, Touched("customer_id")]) -> Upsert:
        return orders.group_by("customer_id").agg(
            orders=pl.len().cast(pl.UInt32), amount=pl.col("amount").sum()
        )
"""
UPSTREAM = {
    "bronze_events": [],
    "silver_orders": ["bronze_events"],
    "silver_history": ["bronze_events"],
    "silver_log": ["bronze_events"],
    "gold_customers": ["silver_orders"],
    "gold_big": ["silver_orders"],
}
FILES = {
    "bronze_events": EVENTS,
    "silver_orders": ORDERS,
    "silver_history": HISTORY,
    "silver_log": LOG,
    "gold_customers": CUSTOMERS,
    "gold_big": CUSTOMERS.replace("orders.group_by", "orders.filter(amount=99).group_by"),
}
SCHEMA = {
    "order_id": pl.Int64,
    "customer_id": pl.Int64,
    "status": pl.String,
    "amount": pl.Int64,
    "version": pl.Int64,
}

NIGHTS = 16
Pipeline = dict[str, ModuleType]


@pytest.fixture
def pipeline(core_file: CoreFile) -> Pipeline:
    """Return the modules of a pipeline: a change log, and what is kept of it."""
    return {name: core_file(name, text) for name, text in FILES.items()}


def run(pipeline: Pipeline, name: str, **options: Any) -> Materialized:
    """Run one asset of the pipeline."""
    module, upstream = pipeline[name], [AssetId.parse(up) for up in UPSTREAM[name]]
    function = next(
        getattr(module, called)
        for called in ("extract", "transform", "aggregate")
        if hasattr(module, called)
    )
    return materialize(function, upstream, "a run", **options)


def read(name: str) -> pl.DataFrame:
    """Return what a reader of an asset gets."""
    latest = store().latest(AssetId.parse(name))
    assert latest is not None
    return store().scan(latest).collect()


def expected(events: pl.LazyFrame) -> Iterator[tuple[str, pl.LazyFrame]]:
    """Yield what the whole change log makes of each asset."""
    last = events.sort("version").unique("order_id", keep="last")
    alive = last.filter(pl.col("status") != "cancelled")
    yield "silver_orders", alive
    states = events.sort("order_id", "version").filter(
        pl.col("status").ne_missing(pl.col("status").shift(1).over("order_id"))
    )
    end = pl.col("version").shift(-1).over("order_id")
    yield (
        "silver_history",
        states.select("order_id", "status", valid_from="version", valid_to=end),
    )
    big = pl.col("amount") > 50
    yield "silver_log", events.filter(big).select("order_id", "amount", "version")
    for name, orders in {"gold_customers": alive, "gold_big": alive.filter(amount=99)}.items():
        sums = orders.group_by("customer_id").agg(
            orders=pl.len().cast(pl.UInt32), amount=pl.col("amount").sum()
        )
        yield name, sums


class Changes:
    """A source that logs changes: each with a number that goes up."""

    def __init__(self, dice: random.Random) -> None:
        """Begin with no changes."""
        self.dice, self.version = dice, 0

    def some(self, count: int, ids: int = 60) -> pl.DataFrame:
        """Return that many changes of different orders; versions are in no order."""
        rows = []
        for order in self.dice.sample(range(ids), count):
            self.version += 1
            status = self.dice.choice(["new", "paid", "sent", "cancelled"])
            amount = self.dice.choice([10, 60, 99])
            rows.append((order, self.dice.randrange(8), status, amount, self.version))
        self.dice.shuffle(rows)
        return pl.DataFrame(rows, SCHEMA, orient="row")


@pytest.mark.parametrize("seed", range(2))
def test_random_nights(pipeline: Pipeline, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)  # noqa: S311 - a game, no secret
    monkeypatch.setattr(compaction, "TOGETHER", dice.choice([2, 3, 4]))
    monkeypatch.setattr(compaction, "UPSERT_WEIGHT", dice.choice([0.1, 1, 4]))
    monkeypatch.setattr(compaction, "GRACE", timedelta(0))
    monkeypatch.setattr(shares, "AT_ONCE", 30 if seed else 4_000_000)
    if seed % 2:
        monkeypatch.setattr(retention, "GRACE", timedelta(0))
        monkeypatch.setenv("SNAPSHOT_RETENTION", "1")
    changes, silver, log = Changes(dice), list(UPSTREAM)[1:], pipeline["bronze_events"].CHANGES
    read_new = dict.fromkeys(silver, 0)
    for night in range(NIGHTS):
        count = 40 if night == 0 else dice.choice([0, 1, 1, 3, 12])
        if count or night == 0:
            log.append(changes.some(count))
        for name in UPSTREAM:
            late = night and dice.random() < 0.2
            if not late:
                done = run(pipeline, name, full_refresh=dice.random() < 0.03)
                read_new[name] = read_new.get(name, 0) + (done.read == "read what is new")
        if dice.random() < 0.3 or night == NIGHTS - 1:
            for name in UPSTREAM:
                run(pipeline, name)
            everything = pl.concat(log).lazy()
            for name, frame in expected(everything):
                found = read(name)
                assert_frame_equal(
                    found.select(frame.collect_schema().names()),
                    frame.collect(),
                    check_row_order=False,
                )
    assert all(read_new[name] > 5 for name in silver), read_new


def test_groups_of_which_values_are_kept_are_computed_in_one_pass(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, look = list[bool](), shares.holds_groups

    def holds_groups(frame: pl.LazyFrame) -> bool:
        asked.append(look(frame))
        return asked[-1]

    monkeypatch.setattr(shares, "AT_ONCE", 10)
    monkeypatch.setattr(shares, "holds_groups", holds_groups)
    pipeline["bronze_events"].CHANGES.append(Changes(random.Random(1)).some(40))  # noqa: S311
    for name in ("bronze_events", "silver_orders", "gold_customers", "silver_history"):
        run(pipeline, name)
    assert asked == [True, False], "Polars shows its plans otherwise: shares.NODE, shares.VALUE"
    monkeypatch.setenv("POLARS_ENGINE", "in-memory")
    rows = store().scan(newest(store(), AssetId("silver", "orders")))
    assert not look(rows.group_by("customer_id").agg(pl.len()))


STOCK = """
    NOW = []


    def extract():
        return NOW[-1]
"""
STATES = """
    from polster_runtime import Own, Upsert


    class Contract(dy.Schema):
        item = dy.Int64(primary_key=True)
        valid_from = dy.Int64(primary_key=True)
        valid_to = dy.Int64(nullable=True)
        count = dy.Int64(nullable=False, max=100)


    def transform(stock: pl.LazyFrame, before: Own) -> Upsert:
        now = stock.select("item", "count", "day")
        current = before.filter(pl.col("valid_to").is_null()).select(
            "item", "valid_from", was="count"
        )
        both = now.join(current, on="item", how="left")
        changed = both.filter(pl.col("count").ne_missing(pl.col("was")))
        began = changed.select("item", valid_from="day", valid_to=None, count="count")
        ended = changed.drop_nulls("valid_from").select(
            "item", "valid_from", valid_to="day", count="was"
        )
        return pl.concat([began, ended], how="vertical_relaxed")
"""


def stock(day: int, **counts: int) -> pl.LazyFrame:
    """Return what a shop has of items a, b and so on."""
    items = {"item": [ord(item) for item in counts], "count": list(counts.values())}
    return pl.LazyFrame(items).with_columns(day=pl.lit(day, pl.Int64))


def test_own_rows_are_kept_whatever_changes(core_file: CoreFile) -> None:
    shelf, states = core_file("bronze_stock", STOCK), core_file("silver_states", STATES)
    upstream = [AssetId.parse("bronze_stock")]
    for day, counts in enumerate([{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 5, "b": 3}], start=1):
        shelf.NOW.append(stock(day, **counts))
        materialize(shelf.extract, [])
        materialize(states.transform, upstream, full_refresh=day == 3)
    found = read("silver_states").sort("item", "valid_from").rows()
    assert found == [(97, 1, 3, 1), (97, 3, None, 5), (98, 1, 2, 2), (98, 2, None, 3)]


def test_rejected_updates_leave_the_old_row_and_stay_in_quarantine(pipeline: Pipeline) -> None:
    log = pipeline["bronze_events"].CHANGES
    orders = AssetId.parse("silver_orders")
    vars(pipeline["silver_orders"])["MAX_REJECTED"] = 1.0
    for rows in (
        [(1, 1, "new", 10, 1), (2, 1, "new", 10, 2)],
        [(1, 1, "paid", -5, 3), (2, 1, "cancelled", -1, 4)],
        [(3, 1, "new", 10, 5)],
    ):
        log.append(pl.DataFrame(rows, SCHEMA, orient="row"))
        run(pipeline, "bronze_events")
        done = run(pipeline, "silver_orders")
    assert done.read == "read what is new"
    assert sorted(read("silver_orders")["order_id"]) == [1, 3]
    batch = quarantine.latest(orders, store())
    assert batch.rows.collect()["amount"].to_list() == [-5]
    assert batch.published


@pytest.mark.parametrize("clock", [datetime, Behind])
def test_a_run_that_was_refused_may_be_repeated(
    pipeline: Pipeline, clock: type[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = pipeline["bronze_events"].CHANGES
    for rows in ([(1, 1, "new", 10, 1)], [(2, 1, "new", -5, 2)]):
        log.append(pl.DataFrame(rows, SCHEMA, orient="row"))
        run(pipeline, "bronze_events")
        if len(log) == 1:
            run(pipeline, "silver_orders")
    monkeypatch.setattr("polster_runtime.execution.materialize.datetime", clock)
    for _ in range(2):
        with pytest.raises(ContractBroken, match="1 of 1 rows"):
            run(pipeline, "silver_orders")
    batch = quarantine.latest(AssetId.parse("silver_orders"), store())
    assert (batch.rows.collect().height, batch.published) == (1, False)
    vars(pipeline["silver_orders"])["MAX_REJECTED"] = 1.0
    run(pipeline, "silver_orders")
    assert quarantine.latest(AssetId.parse("silver_orders"), store()).published
    assert read("silver_orders")["order_id"].to_list() == [1]


class Killed(BaseException):
    """The process is gone."""


class Clock:
    """Counts the steps that change something, and ends the process at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch what writes and deletes."""
        self.step = self.end = self.kills = 0
        monkeypatch.setattr(Store, "put", self.watched(Store.put))
        monkeypatch.setattr(Store, "delete", self.watched(Store.delete))
        for module in ("materialize", "rejected_rows", "removals"):
            path = f"polster_runtime.execution.{module}.stage"
            monkeypatch.setattr(path, self.watched(staging.stage))

    def tick(self) -> None:
        """Count a step."""
        self.step += 1
        if self.step == self.end:
            self.kills += 1
            raise Killed

    def watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Count before and after a function."""

        def called(*args: Any, **options: Any) -> Any:
            self.tick()
            done = function(*args, **options)
            self.tick()
            return done

        return called

    def killed_at_each(self, work: Callable[[], object]) -> None:
        """Do some work, killed at its first step, then at its second, until it is done."""
        self.end = 0
        done = False
        while not done:
            self.end, self.step = self.end + 1, 0
            with suppress(Killed):
                work()
                done = True


def orders_of(log: Sequence[pl.DataFrame]) -> list[tuple[Any, ...]]:
    """Return what Upserts of each night make of a change log, without rejected rows."""
    found: dict[int, tuple[Any, ...]] = {}
    for frame in log:
        for row in frame.sort("version").rows():
            if row[2] == "cancelled":
                found.pop(row[0], None)
            elif row[3] >= 0:
                found[row[0]] = row
    return sorted(found.values())


def test_killed_between_any_two_steps(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    monkeypatch.setattr(compaction, "GRACE", timedelta(0))
    vars(pipeline["silver_orders"])["MAX_REJECTED"] = 1.0
    clock = Clock(monkeypatch)
    changes = Changes(random.Random(5))  # noqa: S311 - a game, no secret
    log = pipeline["bronze_events"].CHANGES
    for night in range(4):
        some = changes.some(30 if night == 0 else 6)
        bad = pl.when(pl.col("version") % 5 == 0).then(-1).otherwise(pl.col("amount"))
        log.append(some.with_columns(amount=bad) if night else some)
        for name in ("bronze_events", "silver_orders", "silver_history", "gold_customers"):
            clock.killed_at_each(partial(run, pipeline, name))
    assert clock.kills > 100
    assert sorted(read("silver_orders").select(list(SCHEMA)).rows()) == orders_of(log)
    history = dict(expected(pl.concat(log).lazy()))["silver_history"].collect()
    found = read("silver_history").select(history.columns)
    assert_frame_equal(found, history, check_row_order=False)
    sums = read("silver_orders").group_by("customer_id").agg(pl.col("amount").sum())
    found = read("gold_customers").select("customer_id", "amount")
    assert_frame_equal(found, sums, check_row_order=False)


def test_changed_code_reads_everything_unless_that_is_accepted(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline["bronze_events"].CHANGES.append(Changes(random.Random(1)).some(9))  # noqa: S311
    for name in ("bronze_events", "silver_orders"):
        run(pipeline, name)
    asset = AssetId.parse("silver_orders")
    monkeypatch.setattr(reading, "logic_version", lambda _: "other")
    assert run(pipeline, "silver_orders").read == "read everything: its code has changed"
    monkeypatch.undo()
    assert positions.accept(store(), asset)
    assert not positions.accept(store(), asset)
    assert run(pipeline, "silver_orders").read == "read what is new"
    with pytest.raises(positions.NoState, match="keeps what it has read, whatever its code"):
        positions.accept(store(), AssetId.parse("bronze_events"))
    assert described(store(), asset, newest(store(), asset)).asset == "run_silver_orders"


def test_parameters_have_any_name_and_other_code_does_not(core_file: CoreFile) -> None:
    other = ORDERS.replace("events", "log")
    texts = [
        ORDERS,
        other,
        other.replace('"cancelled"', '"log"'),
        ORDERS.replace("keep=", "keep_="),
    ]
    found = [
        logic_version(core_file(f"silver_{number}", text).transform)
        for number, text in enumerate(texts)
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LOG.replace("-> Append", "-> pl.LazyFrame"), "New needs -> Append or -> Upsert"),
        (ORDERS.replace("primary_key=True", "nullable=False"), "Upsert needs a primary key"),
        (LOG.replace("-> Append", "-> New"), "must return pl.LazyFrame, Append or Upsert"),
        (CUSTOMERS.replace('Touched("customer_id")', 'Touched("shop")'), "Touched\\('shop'\\)"),
        (CUSTOMERS.replace("-> Upsert", "-> pl.LazyFrame"), "Touched needs -> Upsert"),
        (LOG.replace("events: New", "events: New, others: New"), "events and others are both New"),
    ],
)
def test_annotations_that_do_not_go_together(core_file: CoreFile, text: str, says: str) -> None:
    module = core_file("silver_wrong", text)
    function = getattr(module, "transform", None) or module.aggregate
    with pytest.raises(AssetError, match=rf"silver_wrong\.py:\d+: .*{says}"):
        plan_of(function)


def test_new_over_upsert_is_refused(pipeline: Pipeline, core_file: CoreFile) -> None:
    module = core_file("gold_log", LOG.replace("transform", "aggregate"))
    pipeline["bronze_events"].CHANGES.append(Changes(random.Random(1)).some(9))  # noqa: S311
    for name in ("bronze_events", "silver_orders"):
        run(pipeline, name)
    with pytest.raises(AssetError, match="silver_orders replaces and removes rows"):
        materialize(module.aggregate, [AssetId.parse("silver_orders")])


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        ('events.with_columns(_deleted=pl.lit("no"))', "_deleted is String; it must be Boolean"),
        (
            "pl.concat([events, events.with_columns(_deleted=True)], how='diagonal')",
            "there is a row and one with _deleted",
        ),
        (
            "events.with_columns(order_id=pl.lit(None, pl.Int64), _deleted=True)",
            "has no order_id: nothing to remove",
        ),
    ],
)
def test_removals_that_say_nothing_certain(
    pipeline: Pipeline, core_file: CoreFile, returns: str, says: str
) -> None:
    head = ORDERS.partition("    def transform")[0]
    body = "    CHANGE = [lambda rows: rows]\n\n\n    def transform(events: New) -> Upsert:\n"
    orders = core_file("silver_some", f"{head}{body}        return CHANGE[0](events)\n")
    log, upstream = pipeline["bronze_events"].CHANGES, [AssetId.parse("bronze_events")]
    for night, seed in enumerate((1, 2)):
        log.append(Changes(random.Random(seed)).some(3))  # noqa: S311 - a game, no secret
        run(pipeline, "bronze_events")
        if night == 0:
            materialize(orders.transform, upstream)
    before = read("silver_some")
    orders.CHANGE[0] = lambda events: eval(returns, {"pl": pl, "events": events})  # noqa: S307
    with pytest.raises(AssetError, match=says):
        materialize(orders.transform, upstream)
    assert_frame_equal(read("silver_some"), before)
    assert not [*paths.staging_dir().glob("*.parquet")]
