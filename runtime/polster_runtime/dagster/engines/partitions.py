"""The partitions of a step on many workers at once; the step itself runs when they are done.

No worker waits for another: the process of the run gives out the partitions. Each is recorded as
soon as it is published. The step then tells what became of them, and computes what was lost.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import dagster as dg

from polster_runtime.assets.binding import find_function
from polster_runtime.config.root import module
from polster_runtime.dagster import private
from polster_runtime.dagster.asset_keys import key_of
from polster_runtime.dagster.engines.tasks import LOST_TRIES, Task, Tasks
from polster_runtime.dagster.partition_runs import END, START
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS


@cache
def graph() -> Any:
    """The assets of the project as this process has loaded them."""
    return import_module(module("orchestration.definitions")).defs().resolve_asset_graph()


def shared_out(step: str, tags: Mapping[str, str]) -> Sequence[str]:
    """The partitions of a step that workers may share; none where one computes them in turn.

    An asset in a pool takes one place there, so only one of its partitions runs at a time.
    """
    asset = AssetId.parse(step)
    if START not in tags or asset.layer not in LAYERS or find_function(asset) is None:
        return ()
    if private.find(private.MATERIALIZED) is None:
        return ()
    node = graph().get(key_of(asset))
    if node.partitions_def is None or node.pools:
        return ()
    span = dg.PartitionKeyRange(tags[START], tags[END])
    found: Sequence[str] = node.partitions_def.get_partition_keys_in_range(span)
    return found


class Spread:
    """The partitions of one try of a step: which wait, which workers have, what became of them."""

    def __init__(self, tasks: Tasks, key: str, step: str, partitions: Sequence[str]) -> None:
        self.tasks, self.key, self.step = tasks, key, step
        self.waiting = deque((partition, 0) for partition in partitions)
        """With how often each was lost."""
        self.given = dict[str, tuple[str, int]]()
        """The partitions that the engine has, by the keys of their tasks."""
        self.known = dict[str, Any]()
        """What became of those that are done."""
        self.refused = ""
        """Why a worker did not begin one: no other try would help."""

    def go_on(self, at_once: int) -> Iterator[tuple[str, int]]:
        """Look what has become of the partitions, and give out more; yield those that were lost."""
        for key, (partition, number) in [*self.given.items()]:
            state = self.tasks.state(key)
            if self.tasks.lost(key, state):
                yield partition, number
                if number < LOST_TRIES:
                    self.waiting.append((partition, number + 1))
            elif not state.over:
                continue
            elif state.refused.startswith("{"):
                self.known[partition] = json.loads(state.refused)
            else:  # "" from one that was told to stop
                self.refused = self.refused or state.refused
            del self.given[key]
        while self.waiting and len(self.given) < at_once and not self.refused:
            partition, number = self.waiting.popleft()
            key = f"{self.key}/{partition}/{number}"
            self.given[key] = (partition, number)
            self.tasks.begin(key, Task(self.step, partition, number))

    @property
    def is_over(self) -> bool:
        """Whether no partition waits or is with a worker."""
        return not self.given and not self.waiting

    def stop(self) -> list[str]:
        """Give out no more; return the keys of those that workers may have begun."""
        self.waiting.clear()
        return [key for key in self.given if self.tasks.take_back(key)]
