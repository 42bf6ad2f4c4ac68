"""What an asset reads of its upstream in a run, and what its rows do to those that it has.

    def transform(events: New, customers: pl.LazyFrame) -> Upsert: ...
    def aggregate(orders: Annotated[pl.LazyFrame, Touched("customer_id")]) -> Upsert: ...
    def transform(customers: pl.LazyFrame, before: Own) -> Upsert: ...

Without these annotations a function reads all rows and replaces all of its own.
"""

import ast
import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl

from polster_runtime.errors import AssetError

DELETED = "_deleted"
"""The Boolean column of an Upsert: true removes the row with that key."""
REPLACE, APPEND, UPSERT = "replace", "append", "upsert"


@dataclass(frozen=True)
class Mark:
    """What an annotation says to the runtime."""

    means: Literal["new", "own", "append", "upsert"]


class Touched:
    """All rows of each group in which a row was added, changed or removed since the last run.

    The rows that the function returns replace those groups. Columns tell groups apart.
    """

    def __init__(self, *columns: str) -> None:
        """Name the columns of the upstream asset, and of the result, that tell groups apart."""
        self.columns = list(columns)


New = Annotated[pl.LazyFrame, Mark("new")]
"""The rows that an upstream asset has gained since the last run; at first all of them."""
Own = Annotated[pl.LazyFrame, Mark("own")]
"""The rows that the asset itself has; none before its first run."""
Append = Annotated[pl.LazyFrame, Mark("append")]
"""Rows that are added to those of the asset."""
Upsert = Annotated[pl.LazyFrame, Mark("upsert")]
"""Rows that replace those with the same primary key; `_deleted` removes one."""


@dataclass(frozen=True)
class Plan:
    """What the annotations of a function say."""

    kind: str = REPLACE
    new: str | None = None
    """The parameter that is given new rows."""
    touched: str | None = None
    """The parameter that is given the groups that have changed."""
    own: str | None = None
    """The parameter that is given the asset's own rows."""
    key: list[str] = field(default_factory=list)
    """The columns by which rows are replaced: the primary key, or those of Touched."""

    @property
    def incremental(self) -> bool:
        """Whether a run may add to the rows that there are."""
        return self.kind != REPLACE

    @property
    def repeatable(self) -> bool:
        """Whether all rows can be computed again, from all rows of the upstream assets."""
        return self.own is None and bool(self.new or self.touched)


@cache
def plan_of(function: Callable[..., Any]) -> Plan:
    """What the annotations of a function say. Raises AssetError where they do not go together."""
    try:
        return _plan(function)
    except ValueError as error:
        code = function.__code__
        where = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
        raise AssetError(f"{where}: {function.__name__}(): {error}") from None


def is_marked(function: Callable[..., Any]) -> bool:
    """Whether the annotations of a function say something of increments."""
    return bool(_marks(function))


def _plan(function: Callable[..., Any]) -> Plan:
    marks = _marks(function)
    returns = _means(marks.pop("return", None))
    kind = {None: REPLACE, "append": APPEND, "upsert": UPSERT}.get(returns)
    if kind is None:
        raise ValueError("it must return pl.LazyFrame, Append or Upsert")
    if {_means(mark) for mark in marks.values()} & {"append", "upsert"}:
        raise ValueError("Append and Upsert are what a function returns, not what it is given")
    new = _one([name for name, mark in marks.items() if _means(mark) == "new"], "New")
    own = _one([name for name, mark in marks.items() if _means(mark) == "own"], "Own")
    touched = {name: mark.columns for name, mark in marks.items() if isinstance(mark, Touched)}
    if new and kind == REPLACE:
        raise ValueError("New needs -> Append or -> Upsert: else the rows so far would be lost")
    if kind == APPEND and not (new or own or touched):
        raise ValueError("Append needs New or Own: else each run would add all rows again")
    contract = function.__globals__.get("Contract")
    key = list(contract.primary_key()) if contract is not None and kind == UPSERT else []
    group = _one(list(touched), "Touched")
    if group is not None:
        if kind != UPSERT or new or own:
            raise ValueError("Touched needs -> Upsert, and goes with neither New nor Own")
        key = touched[group]
        named = contract.column_names() if contract is not None else []
        if not key or not set(key) <= set(named):
            names = ", ".join(map(repr, key)) or "no columns"
            raise ValueError(f"Touched({names}): class Contract must name these columns")
    if kind == UPSERT and not key:
        raise ValueError("Upsert needs a primary key: primary_key=True in class Contract")
    return Plan(kind, new, group, own, key)


def _marks(function: Callable[..., Any]) -> dict[str, Mark | Touched]:
    found: dict[str, Mark | Touched] = {}
    for name, hint in inspect.get_annotations(function).items():
        if isinstance(hint, str):
            hint = _evaluated(hint, function)  # noqa: PLW2901 - the same annotation, no text
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(mark, Mark | Touched):
                found[name] = mark
    return found


def _evaluated(hint: str, function: Callable[..., Any]) -> Any:
    """An annotation that is kept as text; None where it names what only a type checker knows."""
    try:
        return eval(hint, function.__globals__)  # noqa: S307 - as typing.get_type_hints does
    except Exception:
        return None


def _means(mark: Mark | Touched | None) -> str | None:
    return mark.means if isinstance(mark, Mark) else None


def _one(names: list[str], what: str) -> str | None:
    if len(names) > 1:
        raise ValueError(f"{' and '.join(names)} are both {what}: one parameter may be")
    return names[0] if names else None


def logic_version(function: Callable[..., Any]) -> str:
    """A short hash of what the file of a function computes, and of its contract's columns.

    Neither comments, docstrings nor the rules of the contract count: a rule that is changed holds
    for the rows to come, and makes nothing read everything. Nor do the names of the function's
    parameters, which follow those of assets that are renamed.
    """
    contract = function.__globals__.get("Contract")
    columns = f"{contract.create_empty().schema} {contract.primary_key()}" if contract else ""
    text = _statements(Path(inspect.getfile(function)), function.__name__) + columns
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache
def _statements(file: Path, function: str) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not _is_of_contract(node)]
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        if isinstance(node, ast.FunctionDef) and node.name == function:
            _number_parameters(node)
    return ast.dump(tree)


def _number_parameters(function: ast.FunctionDef) -> None:
    """Give parameters their numbers as names."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    numbers = {argument.arg: str(number) for number, argument in enumerate(given)}
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            node.arg = numbers.get(node.arg, node.arg)
        elif isinstance(node, ast.Name):
            node.id = numbers.get(node.id, node.id)


def _is_of_contract(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return node.name == "Contract"
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MAX_REJECTED"


def seen_in(known: Mapping[str, Any]) -> tuple[str, int] | None:
    """How far an asset has read its upstream asset, as the footer of its newest file says.

    The epoch alone tells which that was: the asset may have another name today.
    """
    found = next(iter(known.get("seen", {}).values()), None)
    return (str(found[0]), int(found[1])) if found else None
