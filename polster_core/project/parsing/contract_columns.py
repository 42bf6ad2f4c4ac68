"""The columns of a contract, as far as they are written out."""

from __future__ import annotations

import ast

from polster_core.project.parsing.source import written

_OTHER = (ast.FunctionDef, ast.Pass, ast.Expr)
"""What stands in a contract beside columns: rules, docstrings."""


def contract_columns(contract: ast.ClassDef | None) -> dict[str, bool] | None:
    """Return each column with whether it is of the primary key; `None` if that cannot be told.

    That is so where a contract is made from another one, or where columns are computed.
    """
    if contract is None or contract.keywords:
        return None
    if [written(base).rpartition(".")[2] for base in contract.bases] != ["Schema"]:
        return None
    found: dict[str, bool] = {}
    for node in contract.body:
        column = _column(node)
        if column is not None:
            found |= column
        elif not isinstance(node, _OTHER):
            return None
    return found


def _column(node: ast.stmt) -> dict[str, bool] | None:
    """Return the name of a column and whether it is of the primary key, if that is written out."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    target = node.target if isinstance(node, ast.AnnAssign) else target
    if not isinstance(target, ast.Name) or not isinstance(value, ast.Call):
        return None
    given = {keyword.arg: keyword.value for keyword in value.keywords}
    alias, key = (given.get(name, ast.Constant(None)) for name in ("alias", "primary_key"))
    if None in given or not isinstance(alias, ast.Constant) or not isinstance(key, ast.Constant):
        return None
    return {str(alias.value or target.id): bool(key.value)}
