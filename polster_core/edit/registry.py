"""A layer's `__init__.py`: the import and the `__all__` entry of each of its assets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import libcst as cst  # noqa: TID253 - only commands that edit import this package
import libcst.matchers as m  # noqa: TID253

from polster_core.edit.order import moved, natural, place
from polster_core.edit.sequence import INDENT, WIDTH, Item, Items
from polster_core.edit.source import CannotEditError, Source, Span, Splice, Statement
from polster_core.medallion import AssetId

_FIRST_PARTY = frozenset({"core", "orchestration", "src"})


def register(data: bytes, asset: AssetId) -> bytes:
    """Import the asset and list it in `__all__`, both in their sorted place.

    A file that has no `__all__` gets none. What is there already is left as it is.
    Raises CannotEditError.
    """
    source = Source(data)
    splices = [] if _imports_of(source, asset) else [_import_splice(source, asset)]
    return source.replaced([*splices, *_exported(source, asset)])


def unregister(data: bytes, asset: AssetId) -> bytes:
    """Take the asset out: the exact opposite of `register`.

    Raises CannotEditError, also where the file uses the asset for something else.
    """
    source = Source(data)
    splices = [
        *(
            splice
            for found in _imports_of(source, asset)
            for splice in _without_import(found, asset)
        ),
        *_each_export(source, asset, Items.without),
    ]
    _refuse_uses(source, asset, [splice.span for splice in splices])
    return source.replaced(splices)


def reregister(data: bytes, old: AssetId, new: AssetId) -> bytes:
    """Rename the asset in its import and in `__all__`, both of which stay sorted.

    Raises CannotEditError.
    """
    source = Source(data)
    found = _imports_of(source, old)
    return source.replaced(
        [
            *(splice for one in found for splice in _renamed_import(one, old, new)),
            *_each_export(source, old, partial(_renamed_export, old=old, new=new)),
        ]
    )


@dataclass(frozen=True)
class _Import:
    """One `from ... import ...` line; `module` is as it is written, dots included."""

    source: Source
    statement: Statement
    node: cst.ImportFrom
    module: str

    @property
    def prefix(self) -> str:
        """The module without its last part: `orchestration.assets.silver.`, or `.`."""
        return self.module[: len(self.module) - len(self.last)]

    @property
    def last(self) -> str:
        """The last part of the module: `run_silver_orders`."""
        return self.module.rpartition(".")[2]

    @property
    def is_relative(self) -> bool:
        """Whether it begins with a dot."""
        return self.module.startswith(".")

    @property
    def is_ours(self) -> bool:
        """Whether it sorts among the imports of assets: first party, or relative like they."""
        return self.is_relative or self.module.partition(".")[0] in _FIRST_PARTY

    @property
    def aliases(self) -> tuple[cst.ImportAlias, ...]:
        """The imported names; none for a star."""
        return () if isinstance(self.node.names, cst.ImportStar) else tuple(self.node.names)

    def belongs_to(self, package: str) -> bool:
        """Whether it imports from a module of the layer."""
        absolute = self.prefix.removeprefix("src.") == f"{package}."
        return (absolute or self.prefix == ".") and self.last.startswith("run_")

    def imports(self, asset: AssetId) -> bool:
        """Whether it imports this asset, from its module or from its package."""
        if self.belongs_to(asset.layer.package) and self.last == asset.key:
            return True
        package = self.module.removeprefix("src.") in {".", asset.layer.package}
        return package and any(_name(alias) == asset.key for alias in self.aliases)

    def line(self, asset: AssetId) -> bytes:
        """Return the import of `asset` in the style of this one, without its newline."""
        same = any(alias.asname and alias.evaluated_alias == _name(alias) for alias in self.aliases)
        name = f"{asset.key} as {asset.key}" if same else asset.key
        return _line(f"{self.prefix}{asset.key}", name, self.source.newline)


def _name(alias: cst.ImportAlias) -> str:
    return alias.evaluated_name


def _line(module: str, name: str, newline: bytes) -> bytes:
    """Return an import as ruff would write it."""
    one = f"from {module} import {name}".encode()
    if len(one) <= WIDTH:
        return one
    first = f"from {module} import (".encode()
    if len(first) > WIDTH:
        first += b"  # noqa: E501"
    return newline.join([first, INDENT + name.encode() + b",", b")"])


def _imports(source: Source) -> Iterator[_Import]:
    """Yield the imports that have a line of their own."""
    for statement in source.statements:
        if len(statement.small) == 1 and isinstance(statement.small[0], cst.ImportFrom):
            yield _import(source, statement, statement.small[0])


def _import(source: Source, statement: Statement, node: cst.ImportFrom) -> _Import:
    written = cst.helpers.get_full_name_for_node(node.module) if node.module else ""
    return _Import(source, statement, node, "." * len(node.relative) + (written or ""))


def _imports_of(source: Source, asset: AssetId) -> list[_Import]:
    """Return the lines that import the asset.

    Raises CannotEditError where it is imported in some other way.
    """
    if asset.key.encode() not in source.text:
        return []
    found = [one for one in _imports(source) if one.imports(asset)]
    lines = {one.statement.span for one in found}
    for statement in source.statements:
        if statement.span in lines or asset.key.encode() not in source.code(statement.span):
            continue
        for node in m.findall(statement.node, m.ImportFrom() | m.Import()):
            if _mentions(source, statement, node, asset):
                raise CannotEditError(
                    f"{asset.key} is imported among other statements",
                    line=source.line(source.spans(statement)[node].start),
                    hint=f"give its import a line of its own:  {_plain(asset)}",
                )
    return found


def _mentions(source: Source, statement: Statement, node: cst.CSTNode, asset: AssetId) -> bool:
    if isinstance(node, cst.ImportFrom):
        return _import(source, statement, node).imports(asset)
    return isinstance(node, cst.Import) and any(
        _name(alias).removeprefix("src.") == asset.asset_module for alias in node.names
    )


def _plain(asset: AssetId) -> str:
    return f"from {asset.asset_module} import {asset.key}"


def _import_splice(source: Source, asset: AssetId) -> Splice:
    every = list(_imports(source))
    siblings = [one for one in every if one.belongs_to(asset.layer.package)]
    line = (
        siblings[0].line(asset)
        if siblings
        else _line(asset.asset_module, asset.key, source.newline)
    )
    relative = bool(siblings) and siblings[0].is_relative
    module = (siblings[0].prefix if siblings else f"{asset.layer.package}.") + asset.key
    neighbours = [one for one in every if one.is_ours and one.is_relative is relative]
    for neighbour in neighbours:
        if _import_order(neighbour.module) > _import_order(module):
            return Splice(_at(_above(source, neighbour.statement)), line + source.newline)
    if neighbours:
        return _line_below(source, neighbours[-1].statement.span.end, line, b"")
    return _first_import(source, line)


def _import_order(module: str) -> tuple[int, object]:
    """Sort as isort does: relative imports from the outside in, then by name."""
    dots = len(module) - len(module.lstrip("."))
    return (-dots, natural(module.lstrip(".")))


def _first_import(source: Source, line: bytes) -> Splice:
    """Place the first import of the project's own: behind the others, or below the docstring."""
    block = _import_block(source.statements)
    if block:
        return _line_below(source, block[-1].span.end, line, source.newline)
    following = source.statements[1 if _has_docstring(source) else 0 :]
    if following:
        return Splice(_at(_above(source, following[0])), line + source.newline * 2)
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
    small = statement.small
    return bool(small) and all(isinstance(one, (cst.Import, cst.ImportFrom)) for one in small)


def _has_docstring(source: Source) -> bool:
    first = source.statements[0] if source.statements else None
    return first is not None and m.matches(
        first.node,
        m.SimpleStatementLine([m.Expr(m.SimpleString() | m.ConcatenatedString()), m.ZeroOrMore()]),
    )


def _above(source: Source, statement: Statement) -> int:
    """Return the place above a statement and the comments on it, but below the file's header."""
    index = source.statements.index(statement)
    if index == 0:
        return statement.span.start
    floor = source.line_end(source.statements[index - 1].span.end)
    return source.above_comments(statement.span.start, floor)


def _line_below(source: Source, place: int, line: bytes, blank: bytes) -> Splice:
    """Insert a line below that of a place; the file ends with a newline only if it did."""
    end = source.line_end(place) if place else 0
    if end and source.line_start(end) != end:
        return Splice(_at(end), source.newline + blank + line)
    return Splice(_at(end), blank + line + source.newline)


def _without_import(found: _Import, asset: AssetId) -> Iterator[Splice]:
    names = [_name(alias) for alias in found.aliases]
    if found.last == asset.key or set(names) <= {asset.key}:
        yield Splice(_import_lines(found))
        return
    items = _alias_items(found)
    for index, name in enumerate(names):
        if name == asset.key:
            yield from items.without(index)


def _import_lines(found: _Import) -> Span:
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


def _sorts_along(source: Source, statement: Statement, found: _Import) -> bool:
    if len(statement.small) != 1 or not isinstance(statement.small[0], cst.ImportFrom):
        return False
    other = _import(source, statement, statement.small[0])
    return other.is_ours and other.is_relative is found.is_relative


def _before_newline(source: Source, place: int) -> int:
    """Return where the newline that ends at a place begins."""
    text = source.text[:place]
    return place - (2 if text.endswith(b"\r\n") else 1 if text else 0)


def _alias_items(found: _Import) -> Items:
    spans = found.source.spans(found.statement)
    node = found.node
    items = tuple(
        Item(
            spans[alias.name] if alias.asname is None else _joined(spans, alias),
            spans[alias.comma] if isinstance(alias.comma, cst.Comma) else None,
            _name(alias),
        )
        for alias in found.aliases
    )
    whole = Span(items[0].value.start, items[-1].end)
    if node.lpar and node.rpar:
        whole = Span(spans[node.lpar].start, spans[node.rpar].end)
        return Items(found.source, items, whole, Span(whole.start + 1, whole.end - 1))
    return Items(found.source, items, whole, whole)


def _joined(spans: Mapping[cst.CSTNode, Span], alias: cst.ImportAlias) -> Span:
    end = spans[alias.asname.name].end if alias.asname else spans[alias.name].end
    return Span(spans[alias.name].start, end)


def _renamed_import(found: _Import, old: AssetId, new: AssetId) -> Iterator[Splice]:
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


def _run(found: _Import) -> list[_Import]:
    """Return the imports that sort along with one, with nothing between them."""
    source = found.source
    run: list[_Import] = []
    for one in _imports(source):
        if not one.is_ours or one.is_relative is not found.is_relative:
            continue
        if run and source.line_end(run[-1].statement.span.end) != one.statement.span.start:
            if any(other.statement == found.statement for other in run):
                break
            run = []
        run.append(one)
    return run


def _full_line(one: _Import) -> Span:
    """Return an import with the comment behind it, without the newline."""
    end = one.source.line_end(one.statement.span.end)
    if one.source.line_start(end) == end:
        end = _before_newline(one.source, end)
    return Span(one.statement.span.start, end)


def _renamed_line(found: _Import, old: AssetId, new: AssetId) -> bytes:
    source, span = found.source, found.statement.span
    behind = source.code(Span(span.end, _full_line(found).end))
    if source.code(span) == found.line(old):
        return found.line(new) + behind
    return _word(old).sub(new.key.encode(), source.code(span)) + behind


def _word(asset: AssetId) -> re.Pattern[bytes]:
    return re.compile(rb"(?<!\w)" + asset.key.encode() + rb"(?!\w)")


def _exported(source: Source, asset: AssetId) -> Iterator[Splice]:
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


def _each_export(
    source: Source, asset: AssetId, change: Callable[[Items, int], Iterable[Splice]]
) -> Iterator[Splice]:
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


def _renamed_export(items: Items, index: int, old: AssetId, new: AssetId) -> list[Splice]:
    span = items.items[index].value
    code, found = _word(old).subn(new.key.encode(), items.source.code(span))
    if found != 1:
        raise CannotEditError(
            f"{old.key} is written in pieces",
            line=items.source.line(span.start),
            hint=f'write it as  "{old.key}"',
        )
    return items.renamed(index, code, new.key)


def _export_lists(source: Source) -> Iterator[Items]:
    """Yield the lists and tuples that are written out in statements about `__all__`."""
    for statement in source.statements:
        if not statement.small or b"__all__" not in source.code(statement.span):
            continue
        values = [value for small in statement.small if (value := _export_value(small))]
        if values:
            spans = source.spans(statement)
            for value in values:
                yield from _written_lists(source, statement, spans, value)


def _export_value(small: cst.BaseSmallStatement) -> cst.BaseExpression | None:
    """Return what a statement makes of `__all__`, or adds to it."""
    name = m.Name("__all__")
    if isinstance(small, cst.Assign):
        ours = any(m.matches(target.target, name) for target in small.targets)
        return small.value if ours else None
    if isinstance(small, (cst.AnnAssign, cst.AugAssign)):
        return small.value if m.matches(small.target, name) else None
    extend = m.Call(m.Attribute(name, m.Name("extend")), [m.Arg()])
    if isinstance(small, cst.Expr) and m.matches(small.value, extend):
        return cst.ensure_type(small.value, cst.Call).args[0].value
    return None


def _written_lists(
    source: Source,
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
    source: Source,
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


def _refuse_hidden_exports(source: Source, asset: AssetId) -> None:
    """Refuse an `__all__` that is computed, or set inside another statement."""
    for statement in source.statements:
        names = m.findall(statement.node, m.Name("__all__"))
        if names:
            raise CannotEditError(
                "__all__ is not written out as a list",
                line=source.line(source.spans(statement)[names[0]].start),
                hint=f'write it out:  __all__ = ["{asset.key}", ...]',
            )


def _refuse_uses(source: Source, asset: AssetId, cut: Sequence[Span]) -> None:
    """Refuse to take out an asset that other lines of the file need."""
    for match in _word(asset).finditer(source.text):
        if any(span.start <= match.start() < span.end for span in cut):
            continue
        for statement in source.statements:
            if statement.span.start <= match.start() < statement.span.end:
                uses = m.findall(statement.node, m.Name(asset.key))
                spans = source.spans(statement)
                if any(spans[use].start == match.start() for use in uses):
                    raise CannotEditError(
                        f"{asset.key} is used here",
                        line=source.line(match.start()),
                        hint="take it out of this line first",
                    )


def _at(place: int) -> Span:
    return Span(place, place)
