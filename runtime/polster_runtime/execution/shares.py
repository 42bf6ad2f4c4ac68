"""All groups of a large asset, some of them at a time, so that memory stays bounded.

What a function with Touched returns for a group depends on the rows of that group alone, or no run
could replace it; so it may as well be called for a share of the groups, and then for the next.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from polster_runtime.assets.binding import Function, wants_all
from polster_runtime.execution.reading import Reading

AT_ONCE = 4_000_000
"""Rows of which the groups are computed at a time, when all of them are.

To put 4 million rows in order takes 0.7 GB. Each further share costs a scan of the rows.
"""


def call(function: Function, arguments: Mapping[str, Any], reading: Reading | None) -> Any:
    """What a function returns; if its groups are many, of one share after the other."""
    number = 1 + (reading.rows_of_groups // AT_ONCE if reading else 0)
    parameter = reading.plan.touched if reading else None
    if number == 1 or reading is None or parameter is None or wants_all(function, parameter):
        return function(**arguments)
    rows, share = arguments[parameter], pl.struct(reading.plan.key).hash() % number
    frames = [
        function(**{**arguments, parameter: rows.filter(share == each)}) for each in range(number)
    ]
    known = [frame.lazy() for frame in frames if isinstance(frame, pl.DataFrame | pl.LazyFrame)]
    return pl.concat(known) if len(known) == number else frames[0]
