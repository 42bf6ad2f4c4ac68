"""What of its upstream an incremental asset reads in a run, and why that may be all of it."""

from collections.abc import Mapping

import polars as pl

from polster_runtime.assets.binding import Function, asset_of
from polster_runtime.assets.contract import contract_of
from polster_runtime.assets.increments import (
    Plan,
    logic_version,
    plan_of,
    seen_in,
)
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, StorageError
from polster_runtime.execution.result import NEW_ONLY, ONCE_MORE
from polster_runtime.execution.slices import Slice, published_by
from polster_runtime.storage import versions
from polster_runtime.storage.columns import common
from polster_runtime.storage.matching import matching
from polster_runtime.storage.merging import alive
from polster_runtime.storage.snapshots import Provenance, Snapshot
from polster_runtime.storage.store import Store
from polster_runtime.storage.versions import Part, Version

MUCH = 0.2
"""The share of new rows above which reading all rows is cheaper than finding groups.

At 5 % of 20 million rows, groups cost 5.3 s of CPU and a full pass 4.4.
"""

Snapshots = Mapping[AssetId, Snapshot]


class Reading:
    """What an incremental asset reads in one run."""

    def __init__(
        self,
        function: Function,
        data: Store,
        bound: Mapping[str, AssetId],
        snapshots: Snapshots,
        previous: Snapshot | None,
        *,
        full_refresh: bool,
        again: Slice | None = None,
    ) -> None:
        """Find out what is new, or what a run read before. Raises AssetError and StorageError."""
        self.plan: Plan = plan_of(function)
        self.asset = asset_of(function)
        self.contract = contract_of(function)
        self.data, self.bound, self.snapshots = data, bound, snapshots
        self.previous, self.again = previous, again
        self.logic = logic_version(function)
        self.known: Provenance = data.provenance(previous) if previous else {}
        self.groups: pl.DataFrame | None = None
        """The keys of the groups that a Touched parameter was given."""
        self.left_out: pl.LazyFrame | None = None
        """The keys of rows that are there already, or have come later."""
        self.batch: str | None = None
        """The name of the file of the rows that this run has rejected."""
        self._parts: list[Part] = []
        self._slice: tuple[str, int, int] | None = None
        if again and again.batch not in self.known.get("quarantined", []):
            raise AssetError("what was rejected has been run again meanwhile")
        # What the footer says is found before its file is written: Polars asks for it from within.
        self._number = versions.version(data, previous).number + 1 if previous else 0
        """That of the increment that this run publishes."""
        read = self.plan.new or self.plan.touched
        self._seen: dict[str, tuple[str, int]] = (
            {str(bound[read]): versions.version(data, snapshots[bound[read]])} if read else {}
        )
        self._refuse_replaced_upstream()
        self.everything: str | None = self._everything(full_refresh=full_refresh)
        """Why all rows are read, in words; None when only what is new is."""

    @property
    def increases(self) -> Snapshot | None:
        """The snapshot that the result is an increment on; None when it is all rows."""
        return self.previous if self.everything is None or not self.plan.repeatable else None

    @property
    def in_words(self) -> str:
        """What is read, for whoever looks at the run."""
        if self.everything:
            return f"read everything: {self.everything}"
        return ONCE_MORE if self.again else NEW_ONLY

    def frame(self, parameter: str) -> pl.LazyFrame:
        """The rows that a parameter is given. Raises StorageError."""
        snapshot = self.snapshots[self.bound[parameter]]
        if self.everything or parameter not in (self.plan.new, self.plan.touched):
            return self.data.scan(snapshot)
        if not self._parts:
            nothing = self.data.scan(snapshot).clear()
            self.groups = nothing.select(self.plan.key).collect() if self.plan.touched else None
            return nothing
        changed = versions.rows_of(self.data, snapshot, self._parts)
        return changed if parameter == self.plan.new else self._touched(snapshot, changed)

    def footer(self) -> Provenance:
        """What the file of this run says, for the next one."""
        found: Provenance = {
            "kind": self.plan.kind,
            "key": self.plan.key,
            "logic": self.logic,
            "seen": self._seen,
            "quarantined": self._quarantined(),
        }
        if self.everything:
            found["everything"] = self.everything
        elif self._slice:
            found["slice"], found["held"] = self._slice, [self._number]
            found["replayed"] = self.known.get("replayed", [])
            if self.again:
                found["seen"] = self.known["seen"]
                found["held"] = [*self.again.held, self._number]
                found["replayed"] = [*found["replayed"], [self._number, self.again.until]]
        return found

    def _quarantined(self) -> list[str]:
        """The files of rejected rows that have not been settled, with that of this run."""
        before = self.known.get("quarantined", []) if self.increases else []
        settled = self.again.batch if self.again else None
        return [name for name in before if name != settled] + ([self.batch] if self.batch else [])

    def _refuse_replaced_upstream(self) -> None:
        if self.plan.new is None:
            return
        upstream = self.bound[self.plan.new]
        if self.data.base(self.snapshots[upstream]).get("key"):
            raise AssetError(
                f"{self.plan.new} is New, but {upstream} replaces and removes rows, "
                "which New would not tell; take Annotated[pl.LazyFrame, Touched(...)], or "
                "pl.LazyFrame for all rows"
            )

    def _everything(self, *, full_refresh: bool) -> str | None:
        if self.previous is None:
            return "it has no data yet"
        if not self.plan.repeatable:
            self._refuse_another_key(self.previous)
            return None if self.plan.new is None else self._new_since()
        base = self.data.base(self.previous)
        if full_refresh:
            return "full refresh"
        if (base.get("kind"), base.get("key")) != (self.plan.kind, self.plan.key):
            return "its annotations or its key have changed"
        if self.known.get("logic") != self.logic:
            return "its code has changed"
        return self._other_type(self.previous) or self._new_since()

    def _other_type(self, previous: Snapshot) -> str | None:
        """A column whose type in the contract does not go with the rows that there are, in words.

        A key must be of the same type, or rows that are the same would be told apart.
        """
        if self.contract is None:
            return None
        before = self.data.scan(previous).collect_schema()
        for name, kind in self.contract.create_empty().schema.items():
            old = before.get(name, kind)
            if kind != old and (name in self.plan.key or common(old, kind) is None):
                return f"{name} was {old} and is {kind} in its contract now"
        return None

    def _refuse_another_key(self, previous: Snapshot) -> None:
        """Rows that nothing can compute again are neither dropped nor given another key."""
        base = self.data.base(previous)
        why = self._other_type(previous)
        if (base.get("kind"), base.get("key")) != (self.plan.kind, self.plan.key):
            why = "its annotations or its key have changed"
        if why is None:
            return
        raise AssetError(
            f"{why}, and what it has cannot be computed again: go back to what it "
            f"was, or move {self.data.folder(self.asset)} away to start over"
        )

    def _new_since(self) -> str | None:
        """Find what is new; else why it cannot be told."""
        parameter = self.plan.new or self.plan.touched or ""
        upstream = self.bound[parameter]
        snapshot, found = self.snapshots[upstream], self._begin
        now = versions.version(self.data, snapshot)
        if found is None or found[0] != now.epoch:
            return f"{upstream} was replaced"
        until = self.again.until if self.again else now.number
        parts = versions.parts_since(self.data, snapshot, found, until)
        if parts is None:
            return f"increments of {upstream} have been merged since"
        if self.plan.touched and parts:
            if self._key_differs(snapshot) and self._before(snapshot) is None:
                return f"what was read of {upstream} before is gone"
            if versions.count(self.data, parts) > MUCH * self._rows(snapshot):
                return f"much of {upstream} has changed"
        self._parts, self._slice = parts, (*found, until)
        return self._find_left_out() if self.again and self.plan.new else None

    @property
    def _begin(self) -> Version | None:
        """How far the upstream asset had been read before the rows of this run."""
        if self.again:
            return Version(self.again.epoch, self.again.since)
        found = seen_in(self.known)
        return Version(*found) if found else None

    def _find_left_out(self) -> str | None:
        """Find the keys of rows not to be published again; else why they cannot be told."""
        key = self.contract.primary_key() if self.contract else []
        if not self.again or not self.previous or not key:
            return "its contract has no primary key"
        numbers = self.again.held_by(self.plan.kind, self._number, self.known.get("replayed", []))
        own = published_by(self.data, self.previous, numbers)
        if own is None:
            return "its own increments have been merged since"
        self.left_out = versions.rows_of(self.data, self.previous, own).select(key)
        return None

    @property
    def rows_of_groups(self) -> int:
        """How many rows a Touched parameter is given when it is given all of them; else 0."""
        if not self.everything or self.plan.touched is None:
            return 0
        return self._rows(self.snapshots[self.bound[self.plan.touched]])

    def without_left_out(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Rows that a function returned, without those that are there already."""
        if self.left_out is None:
            return rows
        kinds = self.left_out.collect_schema()
        columns = [pl.col(name).cast(kind, strict=False) for name, kind in kinds.items()]
        return rows.join(
            self.left_out, left_on=columns, right_on=kinds.names(), how="anti", nulls_equal=True
        )

    def _rows(self, snapshot: Snapshot) -> int:
        return versions.count(self.data, [Part(path, None) for path in snapshot.paths])

    def _key_differs(self, snapshot: Snapshot) -> bool:
        """Whether a row of the upstream asset may move from one group to another."""
        key = self.data.base(snapshot).get("key")
        return key is not None and set(key) != set(self.plan.key)

    def _before(self, snapshot: Snapshot) -> Snapshot | None:
        """The rows of the upstream asset as the last run has read them."""
        upstream = self.bound[self.plan.touched or ""]
        read = [] if self.again else self.known.get("inputs", {}).get(str(upstream), [])
        try:
            return versions.state_at(self.data, snapshot, self._begin or Version("", 0), read)
        except StorageError:
            return None

    def _touched(self, snapshot: Snapshot, changed: pl.LazyFrame) -> pl.LazyFrame:
        """All rows of the groups in which something has changed."""
        columns = self.plan.key
        upstream_key = self.data.base(snapshot).get("key")
        if upstream_key and set(columns) == set(upstream_key):  # a group is a row
            self.groups = changed.select(columns).unique().collect(engine="streaming")
            return alive(changed)
        found = [alive(changed).select(columns)]
        before = self._before(snapshot)
        if upstream_key and before is not None:  # the group that a row was in is touched as well
            keys = changed.select(upstream_key).unique().collect(engine="streaming")
            old = matching(self.data.scan(before), keys)
            # In the types of today: those of Polars' own choice may hold less.
            found.append(old.select(columns).cast(found[0].collect_schema()))
        groups = pl.concat(found).unique().collect(engine="streaming")
        self.groups = groups
        return matching(self.data.scan(snapshot), groups)
