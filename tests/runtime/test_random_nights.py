"""Random nights of all that happens to increments: what is kept is what reading all would give.

RANDOM_NIGHTS=500 tries that many, of other nights each time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from polster_runtime.assets import increments
from polster_runtime.config import environment
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution import positions, quarantine, reading, shares
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.result import NEW_ONLY, ONCE_MORE
from polster_runtime.storage import compaction, retention
from polster_runtime.storage.registry import store

from .conftest import CoreFile
from .test_increments import Clock, Killed, Pipeline, read

EXAMPLES = int(os.environ.get("RANDOM_NIGHTS", "8"))
EVENTS = """
    CHANGES = []


    def extract(position: int = 0):
        if CHANGES[position or 0:]:
            yield pl.concat(CHANGES[position or 0:], how="diagonal_relaxed")
        return len(CHANGES)
"""
HEAD = """
    from typing import Annotated

    from polster_runtime import Append, New, Touched, Upsert

    MAX_REJECTED = 1.0
    FACTOR = [1]
    BAD = [2]


    class Contract(dy.Schema):
        {}
        {}
        amount = dy.Int64(nullable=False)

        @dy.rule()
        def allowed(cls) -> pl.Expr:
            return pl.col("{}") % 7 >= BAD[0]


    def transform(events: {}) -> {}:
        events = events.with_columns(pl.col("order_id", "amount").cast(pl.Int64))
        events = events.with_columns(amount=pl.col("amount") * FACTOR[0])
"""
BY_ORDER = 'Annotated[pl.LazyFrame, Touched("order_id")]'
FILES = {
    "bronze_events": EVENTS,
    "silver_latest": HEAD.format(
        "order_id = dy.Int64(primary_key=True)\n        customer = dy.Int64()",
        "version = dy.Int64()",
        "version",
        BY_ORDER,
        "Upsert",
    )
    + """
        last = events.sort("version").unique("order_id", keep="last")
        return last.filter(~pl.col("deleted"))
""",
    "silver_history": HEAD.format(
        "order_id = dy.Int64(primary_key=True)",
        "valid_from = dy.Int64(primary_key=True)\n        valid_to = dy.Int64(nullable=True)",
        "valid_from",
        BY_ORDER,
        "Upsert",
    )
    + """
        end = pl.col("version").shift(-1).over("order_id", order_by="version")
        return events.select("order_id", "amount", valid_from="version", valid_to=end)
""",
    "silver_log": HEAD.format(
        "order_id = dy.Int64()", "version = dy.Int64(primary_key=True)", "version", "New", "Append"
    )
    + """
        return events.filter(~pl.col("deleted"))
""",
    "silver_seen": HEAD.format(
        "order_id = dy.Int64()", "version = dy.Int64(primary_key=True)", "version", "New", "Upsert"
    )
    + """
        return events.with_columns(_deleted=pl.col("deleted"))
""",
    "gold_customers": """
    from typing import Annotated

    from polster_runtime import Touched, Upsert


    class Contract(dy.Schema):
        customer = dy.Int64(primary_key=True)
        orders = dy.UInt32()
        amount = dy.Int64()


    def aggregate(latest: Annotated[pl.LazyFrame, Touched("customer")]) -> Upsert:
        return latest.group_by("customer").agg(orders=pl.len(), amount=pl.col("amount").sum())
""",
}
SILVER = [name for name in FILES if name.startswith("silver")]
UPSTREAM = {"bronze_events": [], "gold_customers": ["silver_latest"]} | {
    name: ["bronze_events"] for name in SILVER
}
DRIFTS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "none": lambda rows: rows,
    "a column more": lambda rows: rows.with_columns(note=pl.lit("new")),
    "columns in another order": lambda rows: rows.select(reversed(rows.columns)),
    "smaller numbers": lambda rows: rows.with_columns(pl.col("order_id", "amount").cast(pl.Int32)),
    "floats": lambda rows: rows.with_columns(pl.col("amount").cast(pl.Float64)),
    "texts": lambda rows: rows.with_columns(pl.col("order_id").cast(pl.String)),
}
Row = tuple[int, int, int, bool, int]
COLUMNS = ["order_id", "customer", "amount", "deleted", "version"]


@dataclass(frozen=True)
class Night:
    """What happens in a night."""

    changes: list[tuple[int, int, int, bool, int]]
    """Order, customer, amount, whether it is deleted, and how many changes it comes late."""
    drift: str
    acts: dict[str, tuple[str, int]]
    """What is done with each asset, and the step that a kill comes at."""
    between: str


CHANGE = st.tuples(
    st.integers(0, 12),
    st.integers(0, 4),
    st.sampled_from([1, 10, 99]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([0, 0, 0, 1, 5, 40]),
)
ACT = st.sampled_from(["run"] * 7 + ["skip", "skip", "refresh", "kill"])
NIGHT = st.builds(
    Night,
    changes=st.lists(CHANGE, max_size=6),
    drift=st.sampled_from(["none", "none", *DRIFTS]),
    acts=st.fixed_dictionaries({name: st.tuples(ACT, st.integers(1, 14)) for name in FILES}),
    between=st.sampled_from(["", "", "code", "accept"] + ["replay", "rule and replay"] * 2),
)


@dataclass
class Nights:
    """A change log and what is kept of it."""

    pipeline: Pipeline
    clock: Clock
    monkeypatch: pytest.MonkeyPatch
    rows: list[Row] = field(default_factory=list)
    spelling: int = 0
    """What the code is called, apart from what it computes."""
    reads: list[str | None] = field(default_factory=list)
    """What each run has read."""

    def begin(self, data: Path) -> None:
        """Forget all that was before."""
        shutil.rmtree(data, ignore_errors=True)
        self.pipeline["bronze_events"].CHANGES.clear()
        for name in SILVER:
            self.pipeline[name].BAD[0], self.pipeline[name].FACTOR[0] = 2, 1
        self.rows, self.spelling = [], 0

    def logic(self, function: Callable[..., Any]) -> str:
        """Return a version of the code that changes with it, and at times without."""
        factor = function.__globals__.get("FACTOR", [1])[0]
        return f"{increments.logic_version(function)} {factor} {self.spelling}"

    def log(
        self, changes: Iterable[tuple[int, int, int, bool, int]], drift: str, bad: int = 0
    ) -> None:
        """Log changes; a late one has a version that lies before others.

        None of them is bad, if so many remainders are.
        """
        new = []
        for order, customer, amount, deleted, late in changes:
            number = len(self.rows) + 1
            version = max(number - late, 0) * 10_000 + number * 3
            version += max(0, bad - version % 7)
            new.append((order, customer, amount, deleted, version))
            self.rows.append(new[-1])
        if new:
            frame = pl.DataFrame(new, COLUMNS, orient="row")
            self.pipeline["bronze_events"].CHANGES.append(DRIFTS[drift](frame))

    def do(self, name: str, act: str, step: int) -> None:
        """Run an asset, or not."""
        module = self.pipeline[name]
        function = next(
            getattr(module, called)
            for called in ("extract", "transform", "aggregate")
            if hasattr(module, called)
        )
        self.clock.step, self.clock.end = 0, step if act == "kill" else 0
        with suppress(Killed):
            if act != "skip":
                upstream = [AssetId.parse(up) for up in UPSTREAM[name]]
                refresh = act == "refresh"
                done = materialize(function, upstream, "a run", full_refresh=refresh)
                self.reads.append(done.read)
        self.clock.end = 0

    def change(self, what: str) -> None:
        """Change code or a rule, accept what makes no difference, run again what was rejected."""
        if what == "code":
            for name in SILVER:
                self.pipeline[name].FACTOR[0] += 1
        elif what == "accept":
            # First as they are: else rows of older code would be accepted with it.
            self.all()
            self.spelling += 1
            for name in FILES:
                if name != "bronze_events":
                    positions.accept(store(), AssetId.parse(name))
        elif what:
            if what == "rule and replay":
                for name in SILVER:
                    self.pipeline[name].BAD[0] = max(0, self.pipeline[name].BAD[0] - 1)
            for name in SILVER:
                with suppress(quarantine.NothingRejected):
                    done = quarantine.replay(AssetId.parse(name))
                    self.reads += [each.read for each in done]

    def all(self) -> None:
        """Run all assets."""
        for name in FILES:
            self.do(name, "run", 0)

    def check(self) -> None:
        """Compare what readers get with what the whole log makes of it, computed here."""
        self.all()
        for name, columns, rows in self.expected():
            found = read(name).select(columns).fill_null(0).rows()
            assert sorted(found) == sorted(rows), name

    def expected(self) -> Iterator[tuple[str, list[str], list[tuple[Any, ...]]]]:
        """Yield what each asset must have."""
        bad, factor = (getattr(self.pipeline[SILVER[0]], name)[0] for name in ("BAD", "FACTOR"))
        ordered = sorted(self.rows, key=lambda row: row[4])
        last = {row[0]: row for row in ordered}
        kept = [row for row in last.values() if not row[3] and row[4] % 7 >= bad]
        latest = [(row[0], row[1], row[2] * factor, row[4]) for row in kept]
        yield "silver_latest", ["order_id", "customer", "amount", "version"], latest
        states = []
        for order in last:
            mine = [row for row in ordered if row[0] == order]
            for row, after in zip(mine, [*mine[1:], None], strict=True):
                if row[4] % 7 >= bad:
                    end = after[4] if after else None
                    states.append((order, row[2] * factor, row[4], end or 0))
        yield "silver_history", ["order_id", "amount", "valid_from", "valid_to"], states
        log = [(row[0], row[2] * factor, row[4]) for row in ordered if not row[3]]
        log = [row for row in log if row[2] % 7 >= bad]
        for name in ("silver_log", "silver_seen"):
            yield name, ["order_id", "amount", "version"], log
        sums: dict[int, list[int]] = {}
        for _, customer, amount, _ in latest:
            sums.setdefault(customer, []).append(amount)
        gold = [(customer, len(amounts), sum(amounts)) for customer, amounts in sums.items()]
        yield "gold_customers", ["customer", "orders", "amount"], gold


@pytest.fixture
def nights(project: Path, core_file: CoreFile, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    """Yield a pipeline without data, whose files are merged and deleted early."""
    for name, upstream in UPSTREAM.items():
        folder = project / "src" / "orchestration" / "assets" / name.partition("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        deps = [f"run_{one}" for one in upstream]
        text = f"@dg.asset(deps={deps})\ndef run_{name}(context): ...\n"
        (folder / f"run_{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(compaction, "GRACE", timedelta(0))
    monkeypatch.setattr(retention, "GRACE", timedelta(0))
    monkeypatch.setattr(reading, "MUCH", 0.6)  # of a few rows, one would be much
    monkeypatch.setattr("polster_runtime.storage.durable.sync", lambda _: None)
    monkeypatch.setattr("polster_runtime.storage.durable.sync_folder", lambda _: None)
    pipeline = {name: core_file(name, text) for name, text in FILES.items()}
    found = Nights(pipeline, Clock(monkeypatch), monkeypatch)
    for module in (reading, positions):
        monkeypatch.setattr(module, "logic_version", found.logic)
    yield found
    # Else the nights show little of increments.
    counts = found.reads.count(NEW_ONLY), found.reads.count(ONCE_MORE), found.clock.kills
    assert all(count >= EXAMPLES for count in counts), counts


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    derandomize="RANDOM_NIGHTS" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.lists(CHANGE, min_size=8, max_size=20),
    several=st.lists(NIGHT, min_size=2, max_size=7),
    together=st.sampled_from([2, 3, 16]),
    weight=st.sampled_from([0.1, 1, 4]),
    kept=st.sampled_from(["", "1", "2"]),
    share=st.sampled_from([5, 4_000_000]),
)
def test_any_nights_give_what_reading_everything_gives(
    nights: Nights,
    project: Path,
    first: list[tuple[int, int, int, bool, int]],
    several: list[Night],
    together: int,
    weight: float,
    kept: str,
    share: int,
) -> None:
    nights.begin(project / "data")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compaction, "TOGETHER", together)
        patched.setattr(compaction, "UPSERT_WEIGHT", weight)
        patched.setattr(shares, "AT_ONCE", share)
        patched.setenv("SNAPSHOT_RETENTION", kept)
        environment._load_dotenv.cache_clear()
        # What a run has rejected that read everything is replayed by reading everything.
        nights.log(first, "none", bad=2)
        nights.all()
        for night in several:
            nights.log(night.changes, night.drift)
            for name, (act, step) in night.acts.items():
                nights.do(name, act, step)
            nights.change(night.between)
        nights.check()
