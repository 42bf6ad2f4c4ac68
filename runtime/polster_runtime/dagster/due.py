"""Which assets are due, because what they depend on has new data.

Whether an asset is due follows from Dagster's history alone. Each materialization says which
materialization of each upstream asset was the newest when its step started, and each run says
which assets it was going to materialize. So a look that is repeated finds the same, and one whose
answer was lost is made up for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import dagster as dg

from polster_runtime.assets.keys import other_asset_of
from polster_runtime.dagster.asset_history import AssetHistory
from polster_runtime.dagster.selection import Graph, Keys

Because = dict[dg.AssetKey, list[dg.AssetKey]]
"""Assets, and the upstream assets whose data is new to each."""


@dataclass
class Due:
    """What a look has found."""

    because: Because = field(default_factory=dict)
    waiting: set[dg.AssetKey] = field(default_factory=set)
    """Assets that may be due when what is going on now has ended."""


class Look:
    """One look at the history. `automatic` are the assets that follow their upstream assets."""

    def __init__(self, history: AssetHistory, graph: Graph, automatic: Keys) -> None:
        self._history = history
        self._graph = graph
        self._automatic = automatic

    def downstream(self, changed: Iterable[dg.AssetKey]) -> set[dg.AssetKey]:
        """The automatic assets that depend on one of these directly."""
        known = [self._graph.get(key) for key in changed if self._graph.has(key)]
        return {child for node in known for child in node.child_keys} & self._automatic

    def due(self, candidates: Keys) -> Due:
        """Which of the candidates are due."""
        self._history.load(candidates | {up for key in candidates for up in self._upstream(key)})
        found = Due()
        for key in sorted(candidates):
            if self._history.in_progress(key):
                found.waiting.add(key)
            elif new := [*self._new_upstream(key)]:
                if all(map(self._settled, self._upstream(key))):
                    found.because[key] = new
                elif all(map(self._history.latest, self._upstream(key))):
                    found.waiting.add(key)
        return found

    def chain(self, due: Keys) -> set[dg.AssetKey]:
        """What is due, and what follows from it in the same run.

        An asset is in it when each of its upstream assets is in it too, or has ended well.
        """
        below, layer = set(due), set(due)
        while layer := self.downstream(layer) - below:
            below |= layer
        self._history.load(below | {up for key in below for up in self._upstream(key)})
        chosen = set(due)
        for key in self._graph.toposorted_asset_keys:
            if key in below - due and not self._history.in_progress(key):
                upstream = self._upstream(key)
                if upstream & chosen and all(up in chosen or self._settled(up) for up in upstream):
                    chosen.add(key)
        return chosen

    def _upstream(self, key: dg.AssetKey) -> set[dg.AssetKey]:
        return {up for up in self._graph.get(key).parent_keys if self._is_followed(up)}

    def _is_followed(self, key: dg.AssetKey) -> bool:
        """Whether an asset is run here, or is another project's in the same Dagster."""
        return self._graph.get(key).is_executable or bool(other_asset_of(key.to_user_string()))

    def _settled(self, key: dg.AssetKey) -> bool:
        """Whether an asset has data, no run is about to replace it, and no check blocks it."""
        history = self._history
        return not (
            history.latest(key) is None
            or history.in_progress(key)
            or any(map(history.is_blocking, self._blocking_checks(key)))
        )

    def _blocking_checks(self, key: dg.AssetKey) -> Iterator[dg.AssetCheckKey]:
        return (
            check for check in self._graph.get(key).check_keys if self._graph.get(check).blocking
        )

    def _new_upstream(self, key: dg.AssetKey) -> Iterator[dg.AssetKey]:
        """The upstream assets with data that the asset has not seen, and that nothing ran for."""
        history, own = self._history, self._history.latest(key)
        for upstream in sorted(self._upstream(key)):
            latest = history.latest(upstream)
            if latest is None or (own and latest.event <= own.seen(upstream)):
                continue
            if not history.has_tried(key, latest) and not history.is_left_to(latest.run_id, key):
                yield upstream
