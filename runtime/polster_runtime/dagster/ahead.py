"""Sources that are read together, ahead of the steps that wait for them.

In one process Dagster takes one step after the other, but bronze mostly waits for other machines.
So the first bronze step of a run starts all of the run's bronze functions in threads; whatever a
function returns or raises, its own step returns or raises.
"""

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from polster_runtime.assets.binding import function_of
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.result import Materialized

Started = dict[AssetId, "Future[Materialized]"]

_runs: OrderedDict[str, Started] = OrderedDict()
_lock = Lock()
RUNS_KEPT = 8


def bronze(
    asset: AssetId, together: Iterable[AssetId], run_id: str, *, full_refresh: bool
) -> Materialized:
    """Materialize a bronze asset, having started those that belong to the same run."""
    with _lock:
        if run_id not in _runs:
            _runs[run_id] = _start(dict.fromkeys([asset, *together]), run_id, full_refresh)
            while len(_runs) > RUNS_KEPT:
                _runs.popitem(last=False)
        future = _runs[run_id].pop(asset, None)
    # A step that is tried again finds nothing here, and runs by itself.
    return future.result() if future else _materialize(asset, run_id, full_refresh)


def _materialize(asset: AssetId, run_id: str, full_refresh: bool) -> Materialized:
    return materialize(function_of(asset), [], run_id, full_refresh=full_refresh)


def _start(assets: Iterable[AssetId], run_id: str, full_refresh: bool) -> Started:
    started: Started = {asset: Future() for asset in assets}
    waiting: SimpleQueue[AssetId] = SimpleQueue()
    for asset in started:
        waiting.put(asset)
    futures = dict(started)  # `started` loses those that have been asked for

    def work() -> None:
        while True:
            try:
                asset = waiting.get_nowait()
            except Empty:
                return
            try:
                futures[asset].set_result(_materialize(asset, run_id, full_refresh))
            except BaseException as error:
                futures[asset].set_exception(error)

    for number in range(min(settings().bronze_threads, len(started))):
        # Daemons: a source that hangs must not keep an interrupted run alive.
        Thread(target=work, name=f"bronze-{number}", daemon=True).start()
    return started
