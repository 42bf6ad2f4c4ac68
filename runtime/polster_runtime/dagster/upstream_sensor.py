"""Silver and gold run as soon as their upstream assets have new data.

Dagster evaluates automation conditions for every asset at every look. This costs what happens
instead: a look asks for the number of the newest event in Dagster's history. When it is the
same as before, there is nothing to do. Else what was materialized since says which can be due.
"""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from functools import lru_cache

import dagster as dg

from polster_runtime.dagster.asset_history import AssetHistory, newest_event
from polster_runtime.dagster.asset_keys import name_of_key
from polster_runtime.dagster.due import Because, Look
from polster_runtime.dagster.selection import Graph, Keys

SENSOR = "medallion"
BECAUSE = "polster/because"
"""The tag of a run that says which new data it was requested for."""
NAMES_SHOWN = 5
ALL_AGAIN_SECONDS = 3_600.0
"""How often all assets are looked at, for what may have been missed: deleted runs, say."""


@dataclass(frozen=True)
class Cursor:
    """How far the history was read."""

    graph: str = ""
    """Which assets there were, and what they depended on."""
    before: int = -1
    newest: int = -1
    """The newest events at the last look but one, and at the last."""
    all_at: float = 0.0
    """When all assets were looked at."""
    waiting: tuple[str, ...] = ()

    @staticmethod
    def read(text: str | None) -> "Cursor":
        """The cursor of a text; that of a first look where it is another's."""
        try:
            found = json.loads(text or "")
            return Cursor(**found | {"waiting": tuple(found["waiting"])})
        except (KeyError, TypeError, ValueError):
            return Cursor()

    def write(self) -> str:
        """The text of it."""
        return json.dumps(asdict(self))


def look(context: dg.SensorEvaluationContext, automatic: Keys) -> dg.SensorResult:
    """Request a run of what is due since the last look, if anything has happened since."""
    graph = context.repository_def.asset_graph  # type: ignore[union-attr]
    instance = _instance(context)
    history = AssetHistory(instance, SENSOR)
    last, newest, now = Cursor.read(context.cursor), newest_event(instance), time.time()
    shape = _shape(graph, automatic)
    is_all = shape != last.graph or newest < last.newest or now > last.all_at + ALL_AGAIN_SECONDS
    if not is_all and last.before == newest:
        return dg.SensorResult(cursor=context.cursor, skip_reason="nothing has happened")
    found = Look(history, graph, automatic)
    # Each event is looked at twice: a database may show an earlier one after a later one.
    changed = None if is_all else history.materialized_since(last.before)
    waiting = {dg.AssetKey.from_user_string(text) for text in last.waiting} & automatic
    candidates = automatic if changed is None else found.downstream(changed) | waiting
    due = found.due(candidates)
    chosen = found.chain(due.because.keys())
    cursor = Cursor(
        graph=shape,
        before=min(last.newest, newest) if last.newest >= 0 else newest,
        newest=newest,
        all_at=now if changed is None else last.all_at,
        waiting=tuple(sorted(key.to_user_string() for key in due.waiting | chosen)),
    )
    return dg.SensorResult(
        run_requests=[_request(due.because, chosen, history)] if chosen else None,
        skip_reason=None if chosen else "nothing is due",
        cursor=cursor.write(),
    )


def _request(because: Because, chosen: Keys, history: AssetHistory) -> dg.RunRequest:
    """One run of all that was chosen. The same new data gives the same key, which runs once."""
    events = {
        key.to_user_string(): [_event(history, upstream) for upstream in new]
        for key, new in because.items()
    }
    return dg.RunRequest(
        run_key=_digest(json.dumps(events, sort_keys=True)),
        asset_selection=sorted(chosen),
        tags={BECAUSE: f"new data in {_names({key for new in because.values() for key in new})}"},
    )


def _event(history: AssetHistory, key: dg.AssetKey) -> int:
    latest = history.latest(key)
    return latest.event if latest else 0


def _names(keys: Keys) -> str:
    names = sorted(map(name_of_key, keys))
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{', '.join(names[:NAMES_SHOWN])}{more}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


_opened: list[tuple[object, dg.DagsterInstance]] = []
"""The instance of this process, opened once: Dagster opens one for each look."""


def _instance(context: dg.SensorEvaluationContext) -> dg.DagsterInstance:
    ref = context.instance_ref
    if ref is None:
        return context.instance
    if not _opened or _opened[0][0] != ref:
        _opened[:] = [(ref, dg.DagsterInstance.from_ref(ref))]
    return _opened[0][1]


@lru_cache(maxsize=4)
def _shape(graph: Graph, automatic: Keys) -> str:
    """A text that differs when there are other assets, or they depend on others."""
    lines = [f"{key} {sorted(graph.get(key).parent_keys)}" for key in sorted(automatic)]
    return _digest("\n".join(lines))
