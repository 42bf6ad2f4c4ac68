"""Columns and their lineage, as the project's runtime tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from polster_core.errors import UsageProblem
from polster_core.model.names import did_you_mean


@dataclass(frozen=True)
class Column:
    """A column of a silver or gold asset; columns are called `silver_orders.amount`."""

    name: str
    own: tuple[str, ...]
    """The columns that its values come from."""
    rows: tuple[str, ...]
    """The columns that decide which rows there are, by joins, keys and filters."""
    opaque: bool = False
    """Whether the function could not be asked."""


Columns = Mapping[str, Column]


def parse(document: str) -> Columns:
    """Read the JSON document of the project.

    Polars tells for each column all that may change it. What every column of an asset needs is
    about its rows; what is beyond that, or has the column's own name, is about its values.
    """
    found: dict[str, list[tuple[str, frozenset[str], bool]]] = {}
    for one in json.loads(document)["columns"]:
        made = frozenset(f"{up['asset']}.{up['column']}" for up in one["from"])
        found.setdefault(one["asset"], []).append((one["column"], made, one["opaque"]))
    columns = {}
    for asset, several in found.items():
        shared = frozenset.intersection(*(made for _, made, _ in several))
        for name, made, opaque in several:
            same = {up for up in made if up.rpartition(".")[2] == name}
            own = (made - shared) | same
            columns[f"{asset}.{name}"] = Column(
                name, tuple(sorted(own or made)), tuple(sorted(shared - own if own else ())), opaque
            )
    return columns


def known(columns: Columns, name: str) -> str:
    """Return a column's full name; raises UsageProblem if there is none such."""
    found = [full for full in columns if name in (full, full.partition("_")[2], f"run_{full}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageProblem(f"{name} is ambiguous: {', '.join(found)}")
    raise UsageProblem(
        f"there is no column {name}{did_you_mean(name, columns)}",
        hint="a column is called  gold_revenue.amount",
    )


def lines(columns: Columns, start: str) -> Iterator[str]:
    """Yield a column and below it what its values come from, down to bronze."""
    todo = [(start, "", "")]
    while todo:
        name, margin, branch = todo.pop()
        column = columns.get(name)
        yield f"{margin}{branch}{name}{'  (opaque)' if column and column.opaque else ''}"
        if column is None:
            continue
        inner = margin + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        if column.rows:
            yield f"{inner}{'│' if column.own else ' '}  rows: {', '.join(column.rows)}"
        for n, other in reversed(list(enumerate(column.own))):
            todo.append((other, inner, "└─ " if n == len(column.own) - 1 else "├─ "))
