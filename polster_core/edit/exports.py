"""The `__all__` in a layer's `__init__.py`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping

import libcst as cst  # noqa: TID253 - only commands that edit import this package

from polster_core.edit.brackets import Item, Items
from polster_core.edit.outline import Outline, Statement, walk
from polster_core.edit.sorting import place
from polster_core.edit.splice import CannotEditError, Span, Splice, word
from polster_core.model.layers import AssetId


def exported(source: Outline, asset: AssetId) -> Iterator[Splice]:
    """Put the asset into `__all__`, in the list that has the layer's other assets if any has."""
    lists = list(_export_lists(source))
    if not lists:
        _refuse_hidden_exports(source, asset)
        return
    if any(asset.key == item.text for items in lists for item in items.items):
        return
    prefix = f"run_{asset.layer}_"
    items = next(
        (items for items in lists if any((i.text or "").startswith(prefix) for i in items.items)),
        lists[0],
    )
    strings = [(index, item.text) for index, item in enumerate(items.items) if item.text]
    at = place([text for _, text in strings], asset.key)
    index = strings[at][0] if at < len(strings) else len(items.items)
    yield from items.with_item(index, _quoted(items, index, asset))


def each_export(
    source: Outline, asset: AssetId, change: Callable[[Items, int], Iterable[Splice]]
) -> Iterator[Splice]:
    """Change the asset's entry wherever it is listed; `change` gets the list and its index.

    Raises CannotEditError where one list has it twice.
    """
    for items in _export_lists(source):
        found = [index for index, item in enumerate(items.items) if item.text == asset.key]
        if len(found) > 1:
            raise CannotEditError(
                f"__all__ lists {asset.key} more than once",
                line=source.line(items.items[found[1]].value.start),
                hint="take the second one out",
            )
        for index in found:
            yield from change(items, index)


def renamed_export(items: Items, index: int, old: AssetId, new: AssetId) -> list[Splice]:
    """Rename one entry; raises CannotEditError where its text is put together of several."""
    span = items.items[index].value
    code, found = word(old.key).subn(new.key.encode(), items.source.code(span))
    if found != 1:
        raise CannotEditError(
            f"{old.key} is written in pieces",
            line=items.source.line(span.start),
            hint=f'write it as  "{old.key}"',
        )
    return items.renamed(index, code, new.key)


def _export_lists(source: Outline) -> Iterator[Items]:
    """Yield the lists and tuples that are written out in statements about `__all__`."""
    for statement in source.statements:
        if _is_compound(statement) or b"__all__" not in source.code(statement.span):
            continue
        module, spans = source.read(statement)
        for small in cst.ensure_type(module.body[0], cst.SimpleStatementLine).body:
            if (value := _export_value(small)) is not None:
                yield from _written_lists(source, statement, spans, value)


def _is_compound(statement: Statement) -> bool:
    return hasattr(statement.nodes[0], "body")


def _export_value(small: cst.BaseSmallStatement) -> cst.BaseExpression | None:
    """Return what a statement makes of `__all__`, or adds to it."""
    if isinstance(small, cst.Assign):
        ours = any(_is_all(target.target) for target in small.targets)
        return small.value if ours else None
    if isinstance(small, (cst.AnnAssign, cst.AugAssign)):
        return small.value if _is_all(small.target) else None
    call = small.value if isinstance(small, cst.Expr) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    extends = _is_all(call.func.value) and call.func.attr.value == "extend"
    return call.args[0].value if extends and len(call.args) == 1 else None


def _is_all(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "__all__"


def _written_lists(
    source: Outline,
    statement: Statement,
    spans: Mapping[cst.CSTNode, Span],
    value: cst.BaseExpression,
) -> Iterator[Items]:
    if isinstance(value, cst.BinaryOperation):
        yield from _written_lists(source, statement, spans, value.left)
        yield from _written_lists(source, statement, spans, value.right)
    elif isinstance(value, (cst.List, cst.Tuple)):
        yield _items(source, statement, spans, value)


def _items(
    source: Outline,
    statement: Statement,
    spans: Mapping[cst.CSTNode, Span],
    value: cst.List | cst.Tuple,
) -> Items:
    items = tuple(
        Item(
            spans[element if isinstance(element, cst.StarredElement) else element.value],
            spans[element.comma] if isinstance(element.comma, cst.Comma) else None,
            _text(element.value),
        )
        for element in value.elements
    )
    if isinstance(value, cst.List):
        whole = Span(spans[value.lbracket].start, spans[value.rbracket].end)
    elif value.lpar:
        whole = Span(spans[value.lpar[-1]].start, spans[value.rpar[0]].end)
    else:
        whole = Span(items[0].value.start, items[-1].end)
        return Items(source, items, whole, whole, is_tuple=True)
    return Items(
        source,
        items,
        whole,
        Span(whole.start + 1, whole.end - 1),
        is_tuple=isinstance(value, cst.Tuple),
        closes=whole.end == statement.span.end,
    )


def _text(value: cst.BaseExpression) -> str | None:
    if not isinstance(value, (cst.SimpleString, cst.ConcatenatedString)):
        return None
    text = value.evaluated_value
    return text if isinstance(text, str) else None


def _quoted(items: Items, index: int, asset: AssetId) -> bytes:
    """Write the key with the quotes of the string before it, or else of the one behind."""
    near = [*reversed(items.items[:index]), *items.items[index:]]
    code = next((items.source.code(item.value) for item in near if item.text), b'"')
    quotes = _quotes(code)[-1:]
    return quotes + asset.key.encode() + quotes


def _quotes(code: bytes) -> bytes:
    """Return the prefix and the opening quote of a string: one quote, even where it has three."""
    return code[: min(at for quote in b"\"'" if (at := code.find(quote)) >= 0) + 1]


def _refuse_hidden_exports(source: Outline, asset: AssetId) -> None:
    """Refuse an `__all__` that is computed, or set inside another statement."""
    for statement in source.statements:
        for node in walk(statement) if b"__all__" in source.code(statement.span) else ():
            if isinstance(node, ast.Name) and node.id == "__all__":
                raise CannotEditError(
                    "__all__ is not written out as a list",
                    line=node.lineno,
                    hint=f'write it out:  __all__ = ["{asset.key}", ...]',
                )
