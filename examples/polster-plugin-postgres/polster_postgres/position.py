"""How far a table or a query has been read."""

from typing import Any

import polars as pl

from polster_runtime import Position


class Reached:
    """How far the rows have been read: the largest value of the cursor, and who has it."""

    def __init__(self, position: Position) -> None:
        if not isinstance(position, dict):  # from `polster state set`, or None
            position = {"value": position, "seen": []}
        self.value: str | int | None = position.get("value")
        self.seen: list[str] = position.get("seen", [])
        self._largest: Any = None

    @property
    def position(self) -> Position:
        """What the next run begins with."""
        return None if self.value is None else {"value": self.value, "seen": self.seen}

    def note(self, values: pl.Series) -> None:
        """Look for larger values among new ones."""
        largest = values.max()
        if largest is not None and (self._largest is None or largest > self._largest):
            self._largest = largest
            self.value = largest if isinstance(largest, int) else str(largest)
