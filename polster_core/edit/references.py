"""Every way in which a Python file refers to an asset: renamed where it is beyond doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import libcst as cst  # noqa: TID253 - only commands that edit import this package
from libcst.metadata import QualifiedNameProvider, QualifiedNameSource  # noqa: TID253

from polster_core.edit.cst import CstFile
from polster_core.edit.mentions import Mentions
from polster_core.edit.splice import CannotEditError, Span, Splice
from polster_core.model.layers import AssetId

Parameters = Mapping[str, tuple[str, str]]
"""Functions (`core.gold_revenue.aggregate`) with a renamed parameter: its old and new name."""


@dataclass(frozen=True, slots=True)
class Left:
    """A mention that was left alone because it may mean something else."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A file with its references renamed, and what was left for a person to look at."""

    data: bytes
    left: tuple[Left, ...] = ()


def rename_references(
    data: bytes,
    path: PurePosixPath,
    old: AssetId,
    new: AssetId,
    parameters: Parameters | None = None,
    dagster_module: str = "",
) -> Edited:
    """Rename the asset's modules and function wherever a Python file uses or mentions them.

    `path` is the file's own, from the project's root; `parameters` are functions to whose callers
    a parameter has another name now; `dagster_module` is that of the asset's Dagster file, where it
    is not the usual one. Raises CannotEditError where a new name is taken already.
    """
    file = _File(CstFile(data), path, Mentions(old, new), parameters or {}, dagster_module)
    splices = {splice.span: splice for splice in file.splices()}
    return Edited(file.source.replaced(splices.values()), tuple(file.left()))


@dataclass(frozen=True)
class _File:
    source: CstFile
    path: PurePosixPath
    mentions: Mentions
    parameters: Parameters
    dagster_module: str

    @cached_property
    def module(self) -> str:
        """The import name of the file."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[parts[0] == "src" : len(parts) - self.is_package])

    @property
    def is_package(self) -> bool:
        """Whether relative imports are seen from the file itself, not from its folder."""
        return self.path.name == "__init__.py"

    def splices(self) -> Iterator[Splice]:
        """Yield every edit; one place may be named more than once."""
        for node in self.source.all_spans:
            if isinstance(node, cst.ImportFrom):
                yield from self._import_from(node)
            elif isinstance(node, cst.Import):
                yield from self._import(node)
            elif isinstance(node, (cst.Name, cst.Attribute)):
                yield from self._use(node)
            elif isinstance(node, cst.FunctionDef):
                yield from self._definition(node)
            elif isinstance(node, cst.Call):
                yield from self._call(node)
            elif isinstance(node, (cst.SimpleString, cst.FormattedStringText, cst.Comment)):
                yield from self._text(node)

    def left(self) -> Iterator[Left]:
        """Yield the strings that mention the asset as something that is not certainly it."""
        for node in self.source.all_spans:
            if isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
                span = self.source.all_spans[node]
                if node not in self._docstrings and self.mentions.in_doubt(self._string(node)):
                    yield Left(self.source.line(span.start), self.source.code(span).decode())

    @cached_property
    def _leaves(self) -> Mapping[str, str]:
        """Map old last parts of dotted names to the new ones."""
        old, new = self.mentions.old, self.mentions.new
        return {old.stem: new.stem, old.key: new.key, f"test_{old.stem}": f"test_{new.stem}"}

    @cached_property
    def _targets(self) -> frozenset[str]:
        """The dotted names of what is renamed."""
        old = self.mentions.old
        dagster = self.dagster_module or old.asset_module
        asset = f"{dagster}.{old.key}"
        tests = {f"test_{old.stem}", f"{'.'.join(old.test_file.with_suffix('').parts)}"}
        modules = {old.core_module, dagster, asset}
        return frozenset(modules | {f"src.{name}" for name in modules} | tests)

    @cached_property
    def _first(self) -> Mapping[str, Span]:
        """Where each name stands first in the file."""
        found: dict[str, Span] = {}
        for node, span in self.source.all_spans.items():
            if isinstance(node, cst.Name):
                found.setdefault(node.value, span)
        return found

    @cached_property
    def _names(self) -> Mapping[cst.CSTNode, Any]:
        return self.source.wrapper.resolve(QualifiedNameProvider)

    def _qualified(self, node: cst.CSTNode) -> Iterator[str]:
        """Yield the absolute names that a name may stand for."""
        found = self._names.get(node, ())
        for name in found() if callable(found) else found:
            if name.source is QualifiedNameSource.LOCAL:
                yield f"{self.module}.{name.name}"
            else:
                yield self._absolute(name.name)

    def _absolute(self, name: str) -> str:
        """Resolve the dots of a relative import."""
        dots = len(name) - len(name.lstrip("."))
        if not dots:
            return name
        parts = self.module.split(".")
        parts = parts[: len(parts) - dots + self.is_package]
        return ".".join([*parts, name[dots:]]) if name[dots:] else ".".join(parts)

    def _import_from(self, node: cst.ImportFrom) -> Iterator[Splice]:
        written = _parts(node.module) if node.module else []
        dotted = "." * len(node.relative) + ".".join(part.value for part in written)
        module = self._absolute(dotted)
        yield from self._path(module, written)
        if isinstance(node.names, cst.ImportStar):
            return
        for alias in node.names:
            name = cst.ensure_type(alias.name, cst.Name)
            if f"{module}.{name.value}" in self._targets:
                yield from self._leaf(name)
                yield from self._alias(alias)

    def _import(self, node: cst.Import) -> Iterator[Splice]:
        for alias in node.names:
            written = _parts(alias.name)
            dotted = ".".join(part.value for part in written)
            yield from self._path(dotted, written)
            if dotted in self._targets:
                yield from self._alias(alias)

    def _path(self, module: str, written: list[cst.Name]) -> Iterator[Splice]:
        """Rename the part of an imported module's path that is the asset's."""
        parts = module.split(".")
        for index, name in enumerate(reversed(written)):
            if ".".join(parts[: len(parts) - index]) in self._targets:
                yield from self._leaf(name)

    def _alias(self, alias: cst.ImportAlias) -> Iterator[Splice]:
        if alias.asname and isinstance(alias.asname.name, cst.Name):
            yield from self._leaf(alias.asname.name)

    def _use(self, node: cst.Name | cst.Attribute) -> Iterator[Splice]:
        leaf = node.attr if isinstance(node, cst.Attribute) else node
        if leaf.value in self._leaves and any(n in self._targets for n in self._qualified(node)):
            yield from self._leaf(leaf)

    def _definition(self, node: cst.FunctionDef) -> Iterator[Splice]:
        if f"{self.module}.{node.name.value}" in self._targets:
            yield from self._leaf(node.name)

    def _leaf(self, name: cst.Name) -> Iterator[Splice]:
        if name.value not in self._leaves:
            return
        new = self._leaves[name.value]
        if taken := self._first.get(new):
            raise CannotEditError(
                f"the name {new} is used here already",
                line=self.source.line(taken.start),
                hint="rename that first",
            )
        yield Splice(self.source.all_spans[name], new.encode())

    def _call(self, node: cst.Call) -> Iterator[Splice]:
        """Rename the keyword argument for a parameter, `functools.partial` and `**{}` included."""
        if not any(arg.star == "**" or self._is_parameter(arg) for arg in node.args):
            return  # most calls: there is no need to find out what is called
        for called in (node.func, *(arg.value for arg in node.args[:1] if not arg.keyword)):
            for name in self._qualified(called):
                if pair := self.parameters.get(name.removeprefix("src.")):
                    yield from self._keywords(node, *pair)

    def _is_parameter(self, arg: cst.Arg) -> bool:
        """Whether the argument has the name of a parameter that has another one now."""
        named = arg.keyword.value if arg.keyword else ""
        return any(named == old for old, _ in self.parameters.values())

    def _keywords(self, node: cst.Call, old: str, new: str) -> Iterator[Splice]:
        for arg in node.args:
            if arg.keyword and arg.keyword.value == old:
                yield Splice(self.source.all_spans[arg.keyword], new.encode())
            elif arg.star == "**" and isinstance(arg.value, cst.Dict):
                for element in arg.value.elements:
                    key = element.key if isinstance(element, cst.DictElement) else None
                    if isinstance(key, cst.SimpleString) and key.evaluated_value == old:
                        code = key.value.replace(old, new)
                        yield Splice(self.source.all_spans[key], code.encode())

    def _text(
        self, node: cst.SimpleString | cst.FormattedStringText | cst.Comment
    ) -> Iterator[Splice]:
        span = self.source.all_spans[node]
        code = self.source.code(span)
        if self.mentions.occur_in(code):
            prose = isinstance(node, cst.Comment) or node in self._docstrings
            text = self.mentions.in_prose(code) if prose else self._string(node)
            if text != code:
                yield Splice(span, text)

    def _string(self, node: cst.CSTNode) -> bytes:
        """Return the code of a string with what is beyond doubt renamed."""
        code = self.source.code(self.source.all_spans[node])
        if not isinstance(node, cst.SimpleString):
            return self.mentions.in_string(b"{" + code + b"}")[
                1:-1
            ]  # never alone: the rest follows
        start = len(node.prefix) + len(node.quote)
        end = len(code) - len(node.quote)
        return code[:start] + self.mentions.in_string(code[start:end]) + code[end:]

    @cached_property
    def _docstrings(self) -> frozenset[cst.CSTNode]:
        """Strings that stand alone: they are there to be read."""
        alone = (node for node in self.source.all_spans if isinstance(node, cst.Expr))
        return frozenset(node.value for node in alone if isinstance(node.value, cst.SimpleString))


def _parts(name: cst.BaseExpression) -> list[cst.Name]:
    """Return the names of a dotted path, from left to right."""
    if isinstance(name, cst.Attribute):
        return [*_parts(name.value), name.attr]
    return [name] if isinstance(name, cst.Name) else []


__all__ = ["Edited", "Left", "Parameters", "rename_references"]
