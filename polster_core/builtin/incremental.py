"""Silver and gold assets that read and publish only what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword

from polster_core.errors import UsageProblem
from polster_core.rendering.asset_variables import asset_variables
from polster_core.rendering.python_source import bracketed, quoted
from polster_core.types import AssetContext, NewFile


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A type that a column may be given: what the contract calls it, and values for a test."""

    contract: str
    values: tuple[str, str]
    options: str = ""

    def line(self, name: str, promise: str) -> str:
        """Return the line of the contract for a column."""
        arguments = ", ".join(filter(None, (promise, self.options)))
        return f"{name} = dy.{self.contract}({arguments})"


_TRUE = ("1", "t", "true", "y", "yes")
"""Texts that mean that a row was deleted."""
_MOMENTS = ("datetime(2026, 1, 1)", "datetime(2026, 1, 2)")
_KINDS = {
    "String": _Kind(contract="String", values=('"a"', '"b"')),
    "Int64": _Kind(contract="Int64", values=("1", "2")),
    "Float64": _Kind(contract="Float64", values=("1.5", "2.5")),
    "Boolean": _Kind(contract="Bool", values=("False", "True")),
    "Date": _Kind(contract="Date", values=("date(2026, 1, 1)", "date(2026, 1, 2)")),
    "Datetime": _Kind(contract="Datetime", values=_MOMENTS),
}


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column that an option names."""

    name: str
    kind: _Kind
    type_name: str

    @property
    def quoted(self) -> str:
        return quoted(self.name)


def latest(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset with the current row of each key of a change log."""
    key, columns = _columns(context, "key"), _columns(context, "columns")
    order = _columns(context, "order-by")
    promised = [
        *(each.kind.line(each.name, "primary_key=True") for each in key),
        *(each.kind.line(each.name, "nullable=False") for each in order),
        *(each.kind.line(each.name, "nullable=True") for each in columns),
    ]
    yield from _files(context, "latest", promised, key, order, columns)


def history(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset with every state that a key has been in."""
    key, columns = _columns(context, "key"), _columns(context, "columns")
    if not columns:
        raise UsageProblem("missing option --columns", hint="whose changes make a new state")
    from_log = "order-by" in context.answers
    order = _columns(context, "order-by")
    if len(order) > 1:
        raise UsageProblem("--order-by names one column", hint="the one that says when")
    if from_log:
        begin = order[0].kind.line("valid_from", "primary_key=True")
        end = order[0].kind.line("valid_to", "nullable=True")
    else:
        begin = 'valid_from = dy.Datetime(primary_key=True, time_zone="UTC")'
        end = 'valid_to = dy.Datetime(nullable=True, time_zone="UTC")'
    promised = [
        *(each.kind.line(each.name, "primary_key=True") for each in key),
        begin,
        end,
        *(each.kind.line(each.name, "nullable=True") for each in columns),
    ]
    name = "history" if from_log else "snapshot_history"
    yield from _files(context, name, promised, key, order, columns)


def append(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset that adds the new rows of its upstream asset to its own."""
    columns = _columns(context, "columns")
    promised = [each.kind.line(each.name, "nullable=True") for each in columns]
    yield from _files(context, "append", promised, [], [], columns)


def per_entity(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset with a row for each group of its upstream asset."""
    key = _columns(context, "key")
    promised = [
        *(each.kind.line(each.name, "primary_key=True") for each in key),
        "rows = dy.UInt32(nullable=False, min=1)",
    ]
    yield from _files(context, "per_entity", promised, key, [], [])


def _columns(context: AssetContext, option: str, default: str = "String") -> list[_Column]:
    """Return the columns that an option names, each with its type. Raises UsageProblem."""
    found = []
    for text in filter(None, context.answers.get(option, "").replace(" ", "").split(",")):
        name, _, type_name = text.partition(":")
        kind = _KINDS.get(type_name or default)
        if kind is None:
            types = ", ".join(_KINDS)
            raise UsageProblem(f"--{option}: {type_name} is not a type", hint=f"types: {types}")
        if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            raise UsageProblem(
                f"--{option}: {name!r} cannot be a column of a contract",
                hint="rename it in the asset before, to letters, digits and _",
            )
        found.append(_Column(name=name, kind=kind, type_name=type_name or default))
    return found


def _files(
    context: AssetContext,
    template: str,
    promised: Sequence[str],
    key: Sequence[_Column],
    order: Sequence[_Column],
    columns: Sequence[_Column],
) -> Iterator[NewFile]:
    from polster_core.rendering import render

    asset = context.asset
    if len(context.dependencies) != 1:
        raise UsageProblem(
            f"--template {_called(template)} takes one dependency",
            hint="join others in the function, once it is there",
        )
    every = [*key, *order, *columns]
    names = [each.name for each in every]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageProblem(f"{twice[0]} is named twice", hint="name each column once")
    deleted = next(iter(_columns(context, "deleted", "Boolean")), None)
    rows = [_row(every, 0), _row(every, 1, same=len(key))]
    variables = asset_variables(context) | {
        "parameter": context.parameters[0],
        "stem": asset.stem,
        "promised": "\n    ".join(promised),
        "signature": _signature(context, template, key),
        "key": _texts(key),
        "order": _texts(order),
        "columns": _texts(columns),
        "kept": _texts(every),
        "alive": _alive(deleted) if deleted else "",
        "deleted": deleted.name if deleted else "",
        "deleted_type": deleted.type_name if deleted else "",
        "gone": _gone(deleted) if deleted else "",
        "dates": sorted(
            {value.partition("(")[0] for each in every for value in each.kind.values}
            & {"date", "datetime"}
        ),
        "first": rows[0],
        "in_order": bracketed("rows = [", rows, "]", indent=1),
        "later_first": bracketed("rows = [", rows[::-1], "]", indent=1),
        "schema": bracketed(
            "SCHEMA = {", [f"{each.quoted}: pl.{each.type_name}" for each in every], "}"
        ),
    }
    note = f"what {asset.layer.function}({context.parameters[0]}) reads and returns"
    for path, kind in ((asset.core_file, "core"), (asset.test_file, "test")):
        text = render("polster_core", f"templates/assets/{template}_{kind}.py.jinja", variables)
        yield NewFile(path=path, text=text, note=note if kind == "core" else "")


def _called(template: str) -> str:
    """Return what a person calls a template."""
    return template.removeprefix("snapshot_").replace("_", "-")


def _gone(deleted: _Column) -> str:
    """Return the expression that is true where the source deleted the row."""
    column = f"pl.col({deleted.quoted})"
    if deleted.type_name in {"Date", "Datetime"}:
        return f"{column}.is_not_null()"
    if deleted.type_name == "String":
        texts = ", ".join(map(quoted, _TRUE))
        return f"{column}.str.to_lowercase().is_in([{texts}]).fill_null(value=False)"
    return f"{column}.cast(pl.Boolean).fill_null(value=False)"


def _alive(deleted: _Column) -> str:
    """Return the expression that is true where the source did not delete the row."""
    gone = _gone(deleted)
    return gone.replace(".is_not_null()", ".is_null()") if "is_not_null" in gone else f"~{gone}"


def _signature(context: AssetContext, template: str, key: Sequence[_Column]) -> str:
    name, function = context.parameters[0], context.asset.layer.function
    if template == "append":
        return f"def {function}({name}: New) -> Append:"
    if template == "snapshot_history":
        parts = [f"{name}: pl.LazyFrame", "before: Own"]
    else:
        parts = [f"{name}: Annotated[pl.LazyFrame, Touched({_texts(key)})]"]
    return bracketed(f"def {function}(", parts, ") -> Upsert:")


def _texts(columns: Iterable[_Column]) -> str:
    return ", ".join(each.quoted for each in columns)


def _row(columns: Sequence[_Column], version: int, same: int = 0) -> str:
    """Return a row for a test; the first `same` values are those of every row."""
    values = (
        each.kind.values[0 if number < same else version] for number, each in enumerate(columns)
    )
    text = ", ".join(values)
    return f"({text},)" if len(columns) == 1 else f"({text})"
