"""A layer's `__init__.py`: the import and the `__all__` entry of each of its assets."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial

from polster_core.edit.brackets import Items
from polster_core.edit.exports import each_export, exported, renamed_export
from polster_core.edit.import_splices import import_splice, renamed_import, without_import
from polster_core.edit.imports import imports_of
from polster_core.edit.outline import Outline, walk
from polster_core.edit.splice import CannotEditError, Span
from polster_core.model.layers import AssetId


def register(data: bytes, asset: AssetId) -> bytes:
    """Import the asset and list it in `__all__`, both in their sorted place.

    A file that has no `__all__` gets none. What is there already is left as it is.
    Raises CannotEditError.
    """
    source = Outline(data)
    splices = [] if imports_of(source, asset) else [import_splice(source, asset)]
    return source.replaced([*splices, *exported(source, asset)])


def unregister(data: bytes, asset: AssetId) -> bytes:
    """Take the asset out: the exact opposite of `register`.

    Raises CannotEditError, also where the file uses the asset for something else.
    """
    source = Outline(data)
    splices = [
        *(splice for found in imports_of(source, asset) for splice in without_import(found, asset)),
        *each_export(source, asset, Items.without),
    ]
    _refuse_uses(source, asset, [splice.span for splice in splices])
    return source.replaced(splices)


def reregister(data: bytes, old: AssetId, new: AssetId) -> bytes:
    """Rename the asset in its import and in `__all__`, both of which stay sorted.

    Raises CannotEditError.
    """
    source = Outline(data)
    found = imports_of(source, old)
    return source.replaced(
        [
            *(splice for one in found for splice in renamed_import(one, old, new)),
            *each_export(source, old, partial(renamed_export, old=old, new=new)),
        ]
    )


def _refuse_uses(source: Outline, asset: AssetId, cut: Sequence[Span]) -> None:
    """Refuse to take out an asset that other lines of the file need."""
    for statement in source.statements:
        span = statement.span
        if any(one.start <= span.start and span.end <= one.end for one in cut):
            continue
        for node in walk(statement) if asset.key.encode() in source.code(span) else ():
            if isinstance(node, ast.Name) and node.id == asset.key:
                raise CannotEditError(
                    f"{asset.key} is used here",
                    line=node.lineno,
                    hint="take it out of this line first",
                )
