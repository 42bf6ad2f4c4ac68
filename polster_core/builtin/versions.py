"""Silver and gold assets about the rows of one key: the last of each, or all its versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from polster_core.errors import UsageProblem
from polster_core.rendering.python_source import WIDTH, quoted
from polster_core.types import AssetContext, NewFile

TYPES = ("String", "Int64", "Float64", "Bool", "Date", "Datetime")
_OWN_COLUMNS = ("valid_from", "valid_to", "is_current")


class Column(NamedTuple):
    """A column as somebody types it: `amount:Float64`, or `name`, which is text."""

    name: str
    type: str = "String"

    def promise(self, more: str = "nullable=True") -> str:
        """Return its line in a contract."""
        field = self.name if self.name.isidentifier() else ""
        alias = "" if field else f", alias={quoted(self.name)}"
        plain = "".join(sign if sign.isalnum() else "_" for sign in self.name)
        return f"{field or f'column_{plain}'} = dy.{self.type}({more}{alias})"


def latest(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset with the last row of each key."""
    keys, others = _columns(context, "key"), _columns(context, "columns")
    order = _columns(context, "order", several=False)
    _refuse_repeats([*keys, *order, *others])
    days = ["day 2", "day 1", "day 3"]
    rows = {**_ids(keys, "121"), (order[0].name if order else "row"): days}
    promised = [
        *(one.promise("primary_key=True") for one in keys),
        *(one.promise() for one in [*order, *others]),
    ]
    more = {"order": quoted(order[0].name) if order else ""}
    return _files(context, "latest", keys, promised, rows, more)


def history(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset with all versions of each key, and when each was valid."""
    keys, others = _columns(context, "key"), _columns(context, "columns")
    (seen,) = _columns(context, "seen", several=False)
    _refuse_repeats([*keys, seen, *others], *_OWN_COLUMNS)
    days = [f"day {day}" for day in (1, 1, 2, 3, 3)]
    value = others[0].name if others else "value"
    rows = {**_ids(keys, "12112"), seen.name: days, value: list("acabc")}
    promised = [
        *(one.promise("primary_key=True") for one in keys),
        Column("valid_from", seen.type).promise("primary_key=True"),
        Column("valid_to", seen.type).promise(),
        Column("is_current", "Bool").promise("nullable=False"),
        *(one.promise() for one in others),
    ]
    more = {"seen": f"SEEN = {quoted(seen.name)}", "value": quoted(value)}
    return _files(context, "history", keys, promised, rows, more)


def _files(
    context: AssetContext,
    template: str,
    keys: Sequence[Column],
    promised: Sequence[str],
    rows: Mapping[str, Sequence[object]],
    more: Mapping[str, object],
) -> Iterator[NewFile]:
    from polster_core.rendering import asset_variables, render

    if len(context.parameters) != 1:
        raise UsageProblem(
            f"--template {template} has one dependency, not {len(context.parameters)}",
            hint="join the others in an asset of your own",
        )
    names = [one.name for one in keys]
    variables = {
        **asset_variables(context),
        "key": f"KEY = [{', '.join(map(quoted, names))}]",
        "promised": promised,
        "rows": _literal(rows),
        **more,
    }
    core, test = (
        render("polster_core", f"templates/assets/{template}_{part}.py.jinja", variables)
        for part in ("core", "test")
    )
    yield NewFile(path=context.asset.core_file, text=core, note=f"the key is {', '.join(names)}")
    yield NewFile(path=context.asset.test_file, text=test)


def _columns(context: AssetContext, option: str, *, several: bool = True) -> list[Column]:
    """Read columns that were typed; raises UsageProblem for what cannot be some."""
    typed = context.answers.get(option, "").strip()
    if not typed and option == "order":
        return []
    found = []
    for text in typed.split(",") if several else [typed]:
        name, _, kind = text.strip().partition(":")
        if not name or not name.isprintable() or (kind or "String") not in TYPES:
            raise UsageProblem(
                f"--{option} is {'columns' if several else 'a column'}, each with its type unless "
                f"it is text, not {typed!r}",
                hint=f"for example  --{option} order_id:Int64; types are {', '.join(TYPES)}",
            )
        found.append(Column(name, kind or "String"))
    return found


def _refuse_repeats(columns: Iterable[Column], *own: str) -> None:
    seen = [*own]
    for column in columns:
        if column.name in seen:
            raise UsageProblem(f"the column {column.name} is named twice, or written by itself")
        seen.append(column.name)


def _ids(keys: Iterable[Column], ids: str) -> dict[str, list[str]]:
    return {key.name: list(ids) for key in keys}


def _literal(rows: Mapping[str, Sequence[object]]) -> str:
    """Return columns as Python writes them, in a line each where they are long."""
    cells = [f"{quoted(name)}: {json.dumps(values)}" for name, values in rows.items()]
    line = f"{{{', '.join(cells)}}}"
    if len(line) + len("    rows = ") <= WIDTH:
        return line
    return "{\n" + "".join(f"        {cell},\n" for cell in cells) + "    }"
