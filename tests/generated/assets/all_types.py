"""A column of each type, with a value and a null."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl

from polster_runtime import run


def extract() -> pl.DataFrame:
    """Return two rows."""
    return pl.DataFrame(
        {
            "flag": [True, None],
            "day": [date(2026, 1, 1), None],
            "at": [datetime(2026, 1, 1, 12), None],
            "clock": [time(12), None],
            "took": [timedelta(seconds=5), None],
            "money": [Decimal("1.50"), None],
            "raw": [b"x", None],
            "tags": [["a", "b"], None],
            "pair": [{"a": 1}, None],
            "kind": pl.Series(["x", None], dtype=pl.Categorical),
            "nothing": pl.Series([None, None], dtype=pl.Null),
            "text": ["several\nlines, and more than fit into a cell of a table", None],
            "big": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
            "not_a_number": [float("nan"), 1.0],
        }
    )


if __name__ == "__main__":
    run(extract)
