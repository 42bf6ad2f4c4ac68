"""What changed in a source since its last snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from polster_runtime.config.settings import settings

ENOUGH = 3
"""Row counts that a new one is compared with: fewer tell nothing."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How the columns and the row count of a snapshot differ from those before it."""

    added: dict[str, str]
    removed: dict[str, str]
    retyped: dict[str, str]
    """Column -> "old type -> new type"."""
    usual_rows: int | None
    """The median of the recent row counts, where the new one is far from it."""
    future_cursor: str | None = None
    """The largest cursor of an incremental source, where it lies in the future."""
    doubts: str | None = None
    """Why a source may have more rows than were read."""

    def __bool__(self) -> bool:
        columns = self.added or self.removed or self.retyped
        return bool(columns or self.usual_rows is not None or self.future_cursor or self.doubts)

    def beside(self, before: dict[str, str] | None, after: dict[str, str]) -> "Drift":
        """The same with what differs between the columns of a partition and the one before it."""
        other = drift(before, after, [], 0)
        return replace(
            self,
            added=other.added | self.added,
            removed=other.removed | self.removed,
            retyped=other.retyped | self.retyped,
        )


def drift(
    before: dict[str, str] | None,
    after: dict[str, str],
    recent_rows: list[int],
    rows: int,
    position: object = None,
    doubts: Sequence[str] = (),
) -> Drift:
    """Compare a new snapshot, {column: type} and row count, with those before it.

    `position` is that of an incremental source; "ahead" in it is a cursor in the future.
    `doubts` are sentences of sources.
    """
    before = after if before is None else before
    return Drift(
        added={name: kind for name, kind in after.items() if name not in before},
        removed={name: kind for name, kind in before.items() if name not in after},
        retyped={
            name: f"{before[name]} -> {kind}"
            for name, kind in after.items()
            if name in before and before[name] != kind
        },
        usual_rows=_usual_rows(recent_rows, rows),
        future_cursor=position.get("ahead") if isinstance(position, dict) else None,
        doubts="; ".join(doubts) or None,
    )


def _usual_rows(recent_rows: list[int], rows: int) -> int | None:
    if len(recent_rows) < ENOUGH:
        return None
    usual = int(median(recent_rows))
    far = abs(rows - usual) > settings().row_count_tolerance * max(usual, 1)
    return usual if far else None
