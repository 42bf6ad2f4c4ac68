"""All groups of a large asset, some of them at a time, so that memory stays bounded.

What a function with Touched returns for a group depends on the rows of that group alone, or no run
could replace it; so it may as well be called for a share of the groups, and then for the next.
Where Polars holds no more than a few values a group, all of them are computed in one pass.
"""

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from polster_runtime.assets.binding import Function, wants_all
from polster_runtime.config.polars_engine import computed, polars_engine
from polster_runtime.execution.reading import Reading

AT_ONCE = 4_000_000
"""Rows of which the groups are computed at a time, when all of them are; or groups in one pass.

To put 4 million rows in order takes 0.7 GB. Each further share costs a scan of the rows.
"""
NODE = re.compile(r'\[label="([\w-]+)(.*)"')
"""A part of a plan of Polars' streaming engine, as its graph shows it: what it does, and how."""
ONE_BY_ONE = {"multi-scan", "select", "filter", "with-columns"}
"""Parts that hold no rows."""
GROUPS = "group-by"
VALUE = re.compile(
    r"len\(\)|.+\.(sum|min|max|mean|count|len|first|last|std|var|(min|max)_by\[.*\])\(.*\)"
)
"""What such a part may keep for a group: one value."""


def call(function: Function, arguments: Mapping[str, Any], reading: Reading | None) -> Any:
    """What a function returns; if its groups are many, of one share after the other."""
    number = 1 + (reading.rows_of_groups // AT_ONCE if reading else 0)
    parameter = reading.plan.touched if reading else None
    if number == 1 or reading is None or parameter is None or wants_all(function, parameter):
        return function(**arguments)
    rows, group = arguments[parameter], pl.struct(reading.plan.key).hash()
    whole = function(**arguments)
    if isinstance(whole, pl.LazyFrame) and holds_groups(whole):
        number = 1 + computed(rows.select(group.approx_n_unique())).item() // AT_ONCE
        if number == 1:
            return whole
    frames = [
        function(**{**arguments, parameter: rows.filter(group % number == each)})
        for each in range(number)
    ]
    known = [frame.lazy() for frame in frames if isinstance(frame, pl.DataFrame | pl.LazyFrame)]
    return pl.concat(known) if len(known) == number else frames[0]


def holds_groups(frame: pl.LazyFrame) -> bool:
    """Whether Polars holds a value or two of each group, and no rows, to compute a frame.

    False as well where its plan cannot be understood.
    """
    if polars_engine() != "streaming":
        return False
    try:
        plan = frame.show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    except Exception:
        return False
    nodes = NODE.findall(plan or "")
    kept = [how.partition(r"aggs:\n")[2] for what, how in nodes if what == GROUPS]
    others = {what for what, _ in nodes} - {GROUPS}
    return bool(kept) and others <= ONE_BY_ONE and all(map(_are_values, kept))


def _are_values(kept: str) -> bool:
    """Whether all that is kept of a group, as a graph shows it, is one value each."""
    text = kept.partition('",style')[0].replace(r"\"", '"')
    lines = [line.strip() for line in text.split(r"\n") if line.strip()]
    return all(VALUE.fullmatch(line.partition(" = ")[2]) for line in lines)
