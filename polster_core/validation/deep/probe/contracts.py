"""What a contract asks of the columns that a function returns."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from . import arithmetic, frames

Schema = Mapping[str, Any]


def schema_of(contract: Any) -> Schema:
    """Return the columns that a dataframely schema promises; raises what its rules raise."""
    empty = contract.create_empty()
    if empty.width:
        contract.filter(empty)
    return dict(empty.schema)


def fits(got: Schema, want: Schema) -> bool:
    """Whether nothing is missing, and every type is or becomes what it should be."""
    return not any(severity == "error" for _, severity, _, _ in differences(got, want))


def differences(got: Schema, want: Schema) -> Iterator[tuple[str, str, str, str]]:
    """Yield column, severity, message and hint of whatever does not fit."""
    for name, kind in want.items():
        if name not in got:
            hint = f"it returns {', '.join(got)}" if got else ""
            yield name, "error", f"returns no column {name}", hint
        elif _family(got[name]) not in {_family(kind), "null"}:
            nested = bool({"list", "struct"} & {_family(got[name]), _family(kind)})
            message = f"returns {name} as {got[name]}, and the contract says {kind}"
            cast = "it is cast, and rows whose value cannot be, or would change, are rejected"
            hint = "it cannot become that" if nested else cast
            yield name, "error" if nested else "warning", message, hint
        elif arithmetic.cut(got[name], kind):
            message = f"returns {name} as {got[name]}, and the contract says {kind}"
            yield name, "warning", message, "rows whose value has more places are rejected"
    for name in got:
        if name not in want:
            yield name, "warning", f"returns {name}, which the contract drops", ""


def _family(kind: Any) -> str:
    """Return which types are the same to a person who reads them."""
    pl = frames.polars()
    if kind.is_numeric():
        return "number"
    if kind in {pl.String, pl.Categorical} or isinstance(kind, pl.Enum):
        return "text"
    if isinstance(kind, (pl.List, pl.Array)):
        return "list"
    if isinstance(kind, pl.Struct):
        return "struct"
    return "null" if kind == pl.Null else str(kind.base_type())


def places(contract: Any) -> tuple[int, dict[str, tuple[int, int]]]:
    """Return the line of a contract's class, and line and column of what it assigns."""
    try:
        source, start = inspect.getsourcelines(contract)
        tree = ast.parse("".join(source))
    except (OSError, TypeError, SyntaxError):
        return 1, {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = (start + node.lineno - 1, node.col_offset + 1)
    return start, found
