"""What a run has read of its upstream asset, so that it can be run once more by itself."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from polster_runtime.assets.increments import APPEND
from polster_runtime.storage import versions
from polster_runtime.storage.snapshots import Provenance, Snapshot
from polster_runtime.storage.store import Store
from polster_runtime.storage.versions import Part, Version


@dataclass(frozen=True)
class Slice:
    """What a run has read of its upstream asset, to be run once more for what it rejected."""

    batch: str
    """The name of the file of rejected rows."""
    epoch: str
    since: int
    until: int
    """The last increment of the upstream asset that the run has read."""
    held: Sequence[int]
    """The asset's own increments that have rows of it."""

    @staticmethod
    def of(batch: str, footer: Provenance) -> "Slice | None":
        """What the footer of rejected rows says; None when the run has read everything."""
        if "slice" not in footer:
            return None
        epoch, since, until = footer["slice"]
        return Slice(batch, epoch, since, until, footer["held"])

    def held_by(self, kind: str, now: int, replayed: Iterable[Sequence[int]]) -> set[int]:
        """The asset's own increments before `now` whose keys a replay leaves out.

        Those of an Append that the same slice has brought are there already. Later rows of an
        Upsert stay on top: those of later increments, but for replays of what is older than this.
        `replayed` are such: the number of each, and the last upstream increment of its slice.
        """
        if kind == APPEND:
            return set(self.held)
        older = {number for number, until in replayed if until < self.until}
        return set(range(self.held[0], now)) - older


def published_by(data: Store, snapshot: Snapshot, numbers: Iterable[int]) -> list[Part] | None:
    """What some increments of an asset have brought; None when that cannot be told any more."""
    found, epoch = list[Part](), data.epoch(snapshot)
    for first, last in _spans(numbers):
        parts = versions.parts_since(data, snapshot, Version(epoch, first - 1), last)
        if parts is None:
            return None
        found += parts
    return found


def _spans(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Unbroken ranges of numbers: the first and the last of each."""
    runs = groupby(enumerate(sorted(numbers)), lambda each: each[1] - each[0])
    for _, run in runs:
        found = [number for _, number in run]
        yield found[0], found[-1]
