"""What a listener promises, as tests for pytest: `RunListenerContract`."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ClassVar

import polars as pl
import pytest

from polster_runtime.assets.drift import Drift
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.events import Run, RunListener
from polster_runtime.execution.result import Materialized

ASSET = AssetId("bronze", "orders")
RUN = Run("5b1d07ea-0000-4000-8000-000000000000", "http://127.0.0.1:3000/runs/5b1d07ea")
REASON = "bronze_orders: no such table"
_DONE = Materialized(
    asset=ASSET,
    path="data/bronze/orders/20260102T030405678901Z-a1b2c3.parquet",
    rows=2,
    size=700,
    seconds=0.1,
    schema={"id": "Int64"},
    preview=pl.DataFrame({"id": [1, 2]}),
    drift=Drift(added={}, removed={}, retyped={}, usual_rows=None),
    lineage=None,
    contract=None,
    rejected=0,
    broken_rules={},
)
_Event = Callable[[RunListener], None]
EVENTS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("run_started", (RUN,)),
    ("started", (ASSET,)),
    ("rows_so_far", (ASSET, 1_000)),
    ("retrying", (ASSET, REASON, 0.5)),
    ("finished", (_DONE,)),
    ("failed", (ASSET, 0.1)),
    ("run_finished", (RUN,)),
    ("checks_failed", (RUN, ["bronze_orders: drift added {'id': 'Int64'}"])),
    ("run_failed", (RUN, [REASON])),
    ("overdue", (ASSET, 72.0, 36.0)),
)
"""One event of each kind."""


class RunListenerContract:
    """What an entry point of `polster_runtime.listeners` promises. Give the fixture `listener`.

    class TestOurs(RunListenerContract):
        @pytest.fixture
        def listener(self) -> RunListener:
            return polster_ours.listener()
    """

    group: ClassVar[str] = "polster_runtime.listeners"

    def test_it_hears_all_events_there_are(self, listener: RunListener) -> None:
        """Also those of later versions: it inherits from `RunListener`."""
        assert isinstance(listener, RunListener)
        known = {name for name in vars(RunListener) if not name.startswith("_")}
        assert known == {name for name, _ in EVENTS}

    @pytest.mark.parametrize("event", [name for name, _ in EVENTS])
    def test_nothing_it_hears_makes_it_raise(self, event: str, listener: RunListener) -> None:
        """A run would go on, and log that a listener failed."""
        for tell in _events(event):
            tell(listener)

    def test_several_threads_tell_it(self, listener: RunListener) -> None:
        """Assets run at once."""
        with ThreadPoolExecutor(8) as pool:
            for told in [pool.submit(tell, listener) for _ in range(8) for tell in _events()]:
                told.result()

    def test_it_leaves_stdout_alone(
        self, listener: RunListener, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """There is the JSON document of `run_polster.py --json`."""
        for tell in _events():
            tell(listener)
        assert capfd.readouterr().out == ""


def _events(only: str = "") -> Iterator[_Event]:
    for name, arguments in EVENTS:
        if only in {"", name}:
            yield partial(_tell, name, arguments)


def _tell(name: str, arguments: tuple[object, ...], listener: RunListener) -> None:
    getattr(listener, name)(*arguments)
