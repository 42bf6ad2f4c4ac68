"""Add, remove and rename imports in a layer's `__init__.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

import libcst as cst  # noqa: TID253 - only commands that edit import this package

from polster_core.edit.brackets import Item, Items
from polster_core.edit.imports import ImportLine, import_line, import_line_of, import_lines
from polster_core.edit.outline import Outline, Statement
from polster_core.edit.sorting import moved, natural
from polster_core.edit.splice import Span, Splice, at, word
from polster_core.model.layers import AssetId


def import_splice(source: Outline, asset: AssetId) -> Splice:
    """ImportLine the asset where its import sorts, in the style of those of the other assets."""
    every = list(import_lines(source))
    siblings = [one for one in every if one.belongs_to(asset.layer.package)]
    line = (
        siblings[0].line(asset)
        if siblings
        else import_line(asset.asset_module, asset.key, source.newline)
    )
    relative = bool(siblings) and siblings[0].is_relative
    module = (siblings[0].prefix if siblings else f"{asset.layer.package}.") + asset.key
    neighbours = [one for one in every if one.is_ours and one.is_relative is relative]
    for neighbour in neighbours:
        if _import_order(neighbour.module) > _import_order(module):
            return Splice(at(_above(source, neighbour.statement)), line + source.newline)
    if neighbours:
        return _line_below(source, neighbours[-1].statement.span.end, line, b"")
    return _first_import(source, line)


def _import_order(module: str) -> tuple[int, object]:
    """Sort as isort does: relative imports from the outside in, then by name."""
    dots = len(module) - len(module.lstrip("."))
    return (-dots, natural(module.lstrip(".")))


def _first_import(source: Outline, line: bytes) -> Splice:
    """Place the first import of the project's own: behind the others, or below the docstring."""
    block = _import_block(source.statements)
    if block:
        return _line_below(source, block[-1].span.end, line, source.newline)
    following = source.statements[1 if _has_docstring(source) else 0 :]
    if following:
        return Splice(at(_above(source, following[0])), line + source.newline * 2)
    end = len(source.text.rstrip())
    return _line_below(source, end, line, source.newline if end else b"")


def _import_block(statements: Sequence[Statement]) -> list[Statement]:
    block: list[Statement] = []
    for statement in statements:
        if _is_import(statement):
            block.append(statement)
        elif block:
            break
    return block


def _is_import(statement: Statement) -> bool:
    return all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in statement.nodes)


def _has_docstring(source: Outline) -> bool:
    first = source.statements[0].nodes[0] if source.statements else None
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _above(source: Outline, statement: Statement) -> int:
    """Return the place above a statement and the comments on it, but below the file's header."""
    index = source.statements.index(statement)
    if index == 0:
        return statement.span.start
    floor = source.line_end(source.statements[index - 1].span.end)
    return source.above_comments(statement.span.start, floor)


def _line_below(source: Outline, place: int, line: bytes, blank: bytes) -> Splice:
    """Insert a line below that of a place; the file ends with a newline only if it did."""
    end = source.line_end(place) if place else 0
    if end and source.line_start(end) != end:
        return Splice(at(end), source.newline + blank + line)
    return Splice(at(end), blank + line + source.newline)


def without_import(found: ImportLine, asset: AssetId) -> Iterator[Splice]:
    """Take the asset out of an import: the lines that `import_splice` adds, or one of its names."""
    if found.last == asset.key or set(found.names) <= {asset.key}:
        yield Splice(_import_lines(found))
        return
    items = _alias_items(found)
    for index, name in enumerate(found.names):
        if name == asset.key:
            yield from items.without(index)


def _import_lines(found: ImportLine) -> Span:
    """Return the lines that `register` would have added for an import."""
    source, statement = found.source, found.statement
    start, end = source.line_start(statement.span.start), source.line_end(statement.span.end)
    index = source.statements.index(statement)
    before = source.statements[index - 1] if index else None
    behind = source.statements[index + 1] if index + 1 < len(source.statements) else None
    alone = not any(one and _sorts_along(source, one, found) for one in (before, behind))
    if alone and behind and not (before and _is_import(before)):
        below = source.line_end(end)
        return Span(start, below if source.is_blank(Span(end, below)) else end)
    cut = _before_newline(source, start)
    has_blank = alone and cut > 0 and source.line_start(cut) == cut
    if source.line_start(end) != end:
        return Span(_before_newline(source, cut) if has_blank else cut, end)
    return Span(cut if has_blank else start, end)


def _sorts_along(source: Outline, statement: Statement, found: ImportLine) -> bool:
    other = import_line_of(source, statement)
    return other is not None and other.is_ours and other.is_relative is found.is_relative


def _before_newline(source: Outline, place: int) -> int:
    """Return where the newline that ends at a place begins."""
    text = source.text[:place]
    return place - (2 if text.endswith(b"\r\n") else 1 if text else 0)


def _alias_items(found: ImportLine) -> Items:
    module, spans = found.source.read(found.statement)
    line = cst.ensure_type(module.body[0], cst.SimpleStatementLine)
    node = cst.ensure_type(line.body[0], cst.ImportFrom)
    aliases = () if isinstance(node.names, cst.ImportStar) else node.names
    items = tuple(
        Item(
            _joined(spans, alias),
            spans[alias.comma] if isinstance(alias.comma, cst.Comma) else None,
            alias.evaluated_name,
        )
        for alias in aliases
    )
    whole = Span(items[0].value.start, items[-1].end)
    if node.lpar and node.rpar:
        whole = Span(spans[node.lpar].start, spans[node.rpar].end)
        return Items(found.source, items, whole, Span(whole.start + 1, whole.end - 1))
    return Items(found.source, items, whole, whole)


def _joined(spans: Mapping[cst.CSTNode, Span], alias: cst.ImportAlias) -> Span:
    end = spans[alias.asname.name].end if alias.asname else spans[alias.name].end
    return Span(spans[alias.name].start, end)


def renamed_import(found: ImportLine, old: AssetId, new: AssetId) -> Iterator[Splice]:
    """Rename in place, or move within the lines around that hold nothing else."""
    run = _run(found)
    index = next(i for i, one in enumerate(run) if one.statement.span == found.statement.span)
    lines = [_full_line(one) for one in run]
    texts = [found.source.code(span) for span in lines]
    module = found.prefix + new.key if found.last == old.key else found.module
    target = moved([one.module for one in run], index, module)
    fresh = texts[:index] + texts[index + 1 :]
    fresh.insert(target, _renamed_line(found, old, new))
    for span, text, other in zip(lines, texts, fresh, strict=True):
        if text != other:
            yield Splice(span, other)


def _run(found: ImportLine) -> list[ImportLine]:
    """Return the imports that sort along with one, with nothing between them."""
    source = found.source
    run: list[ImportLine] = []
    for one in import_lines(source):
        if not one.is_ours or one.is_relative is not found.is_relative:
            continue
        if run and source.line_end(run[-1].statement.span.end) != one.statement.span.start:
            if any(other.statement == found.statement for other in run):
                break
            run = []
        run.append(one)
    return run


def _full_line(one: ImportLine) -> Span:
    """Return an import with the comment behind it, without the newline."""
    end = one.source.line_end(one.statement.span.end)
    if one.source.line_start(end) == end:
        end = _before_newline(one.source, end)
    return Span(one.statement.span.start, end)


def _renamed_line(found: ImportLine, old: AssetId, new: AssetId) -> bytes:
    """Rename in one import; its layout stays, so that renaming there and back is nothing."""
    source, span = found.source, found.statement.span
    behind = source.code(Span(span.end, _full_line(found).end))
    return word(old.key).sub(new.key.encode(), source.code(span)) + behind
