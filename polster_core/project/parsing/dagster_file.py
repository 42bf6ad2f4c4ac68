"""The Dagster assets that a file defines, as far as the file says so without being run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from polster_core.model.facts import Definition, Dependency, Fault, Form, Import, Unread
from polster_core.project.parsing.module_names import Function, ModuleNames, functions_of
from polster_core.project.parsing.source import ParsedFile, docstring, first_paragraph, written

_ONE_ASSET = frozenset({"asset", "graph_asset", "observable_source_asset"})
_MANY_ASSETS = frozenset({"multi_asset", "graph_multi_asset", "multi_observable_source_asset"})
_FRAMES = ("LazyFrame", "DataFrame")


def definitions(source: ParsedFile) -> tuple[tuple[Definition, ...], tuple[Fault, ...]]:
    """Return the assets that a file defines, and what it defines in ways that cannot be read."""
    imports = tuple(source.imports())
    functions = functions_of(source)
    names = ModuleNames.of(source, imports, functions)
    found: list[Definition] = []
    faults: list[Fault] = []
    for function in functions:
        if decorator := _decorator(function, names, _ONE_ASSET):
            found.append(_Reader(source, names, function, decorator).definition(imports))
        else:
            faults.extend(_dynamic(source, names, function))
    return tuple(found), tuple(faults)


def _decorator(function: Function, names: ModuleNames, wanted: frozenset[str]) -> ast.expr | None:
    for decorator in function.decorator_list:
        if names.dagster(_called(decorator)) in wanted:
            return decorator
    return None


def _called(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _yields(node: ast.AST) -> bool:
    """Whether a part of a function yields, those of functions inside it left out."""
    if isinstance(node, (ast.Yield, ast.YieldFrom)):
        return True
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    return not isinstance(node, inner) and any(map(_yields, ast.iter_child_nodes(node)))


def _dynamic(source: ParsedFile, names: ModuleNames, function: Function) -> Iterator[Fault]:
    """Report assets that exist only once the file has run."""
    if decorator := _decorator(function, names, _MANY_ASSETS):
        kind = names.dagster(_called(decorator))
        yield Fault(
            "unreadable",
            source.name_place(function),
            f"{function.name} is a {kind}; Polster reads one asset a function (@dg.asset)",
        )
        return
    for node in ast.walk(function):
        if node is function or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if _decorator(node, names, _ONE_ASSET | _MANY_ASSETS):
            yield Fault(
                "unreadable",
                source.name_place(node),
                f"{function.name}() makes assets when it runs, which cannot be read",
            )


class _Reader:
    """Reads one decorated function."""

    def __init__(
        self, source: ParsedFile, names: ModuleNames, function: Function, decorator: ast.expr
    ) -> None:
        self.source = source
        self.names = names
        self.function = function
        self.decorator = decorator
        self.unread: list[Unread] = []
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        self.given = {keyword.arg: keyword.value for keyword in keywords if keyword.arg}
        for keyword in keywords:
            if keyword.arg is None:
                self._skip("arguments unpacked with **", keyword.value)

    def definition(self, imports: tuple[Import, ...]) -> Definition:
        """Put together what the decorator and the signature say."""
        deps = (*self._deps(), *self._inputs(), *self._parameters())
        return Definition(
            key=self._key(),
            function=self.function.name,
            place=self.source.name_place(self.function),
            deps=deps,
            unread=tuple(self.unread),
            group=self._optional_text("group_name"),
            description=first_paragraph(self._optional_text("description"))
            or docstring(self.function),
            imports=imports,
            computes=self._computes(),
            partitions=self._partitions(),
        )

    def _partitions(self) -> str:
        node = self.given.get("partitions_def")
        return "" if node is None or _is_none(node) else ast.unparse(node)

    def _computes(self) -> bool:
        """Whether the function returns a frame; what it yields are Dagster's own events."""
        returns = self.function.returns
        if returns is not None and not _is_frame(returns):
            return False
        decorator = self.names.dagster(_called(self.decorator))
        return decorator == "asset" and not any(map(_yields, self.function.body))

    def _key(self) -> str:
        if "key" in self.given:
            key = self._asset_key(self.given["key"])
            if key is None:
                self._skip("key", self.given["key"])
            return key or self.function.name
        name: str | None = self.function.name
        if "name" in self.given and not _is_none(self.given["name"]):
            name = self._text(self.given["name"])
            if name is None:
                self._skip("name", self.given["name"])
        prefix: str | None = None
        if "key_prefix" in self.given and not _is_none(self.given["key_prefix"]):
            prefix = self._asset_key(self.given["key_prefix"])
            if prefix is None:
                self._skip("key_prefix", self.given["key_prefix"])
        return "/".join(part for part in (prefix, name or self.function.name) if part)

    def _deps(self) -> Iterator[Dependency]:
        if "deps" in self.given and not _is_none(self.given["deps"]):
            for element in self._elements(self.given["deps"], "deps"):
                if (dependency := self._dependency(element)) is not None:
                    yield dependency
                else:
                    self._skip("an entry of deps", element)

    def _elements(self, node: ast.expr, what: str) -> Iterator[ast.expr]:
        """Yield the elements of a list that is written out, named, or joined of such lists."""
        if isinstance(node, ast.Name) and node.id in self.names.constants:
            yield from self._elements(self.names.constants[node.id], what)
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            for element in node.elts:
                if isinstance(element, ast.Starred):
                    yield from self._elements(element.value, what)
                else:
                    yield element
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from self._elements(node.left, what)
            yield from self._elements(node.right, what)
        else:
            self._skip(what, node)

    def _dependency(self, node: ast.expr) -> Dependency | None:
        if (key := self._asset_key(node)) is not None:
            return Dependency(key, self.source.place(node))
        if isinstance(node, ast.Attribute) and node.attr == "key":
            return self._dependency(node.value)
        if isinstance(node, ast.Name) and self.names.is_asset(node.id):
            name = self.names.original(node.id)
            return Dependency(name, self.source.place(node), Form.FUNCTION)
        if isinstance(node, ast.Attribute):
            base = node.value
            if isinstance(base, ast.Name) and self.names.is_asset(base.id):
                return Dependency(node.attr, self.source.place(node), Form.FUNCTION)
        if isinstance(node, ast.Call) and self.names.dagster(node.func) == "AssetDep":
            inner = _argument(node, "asset")
            return self._dependency(inner) if inner is not None else None
        return None

    def _inputs(self) -> Iterator[Dependency]:
        node = self.given.get("ins")
        if node is None or _is_none(node):
            return
        if isinstance(node, ast.Name):
            node = self.names.constants.get(node.id, node)
        if not isinstance(node, ast.Dict):
            self._skip("ins", node)
            return
        for name, value in zip(node.keys, node.values, strict=True):
            key = self._input_key(name, value)
            if key is None:
                self._skip("an entry of ins", value)
            else:
                yield Dependency(key, self.source.place(value), Form.INPUT)

    def _input_key(self, name: ast.expr | None, value: ast.expr) -> str | None:
        if not isinstance(value, ast.Call) or self.names.dagster(value.func) != "AssetIn":
            return None
        if (key := _argument(value, "key")) is not None:
            return self._asset_key(key)
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        parameter = self._text(name) if name is not None else None
        if "key_prefix" not in given:
            return parameter
        prefix = self._asset_key(given["key_prefix"])
        return f"{prefix}/{parameter}" if prefix and parameter else None

    def _parameters(self) -> Iterator[Dependency]:
        """Yield the parameters that Dagster fills from other assets.

        A parameter whose annotation is some other class is a resource or a configuration.
        """
        named = self._input_names()
        arguments = self.function.args
        for index, argument in enumerate((*arguments.posonlyargs, *arguments.args)):
            if index == 0 and argument.arg in {"context", "_context", "_", "__"}:
                continue
            if argument.arg in named or argument.arg == "config":
                continue
            if _takes_data(argument):
                yield Dependency(argument.arg, self.source.place(argument), Form.PARAMETER)

    def _input_names(self) -> set[str]:
        node = self.given.get("ins")
        keys: Iterable[ast.expr | None] = node.keys if isinstance(node, ast.Dict) else ()
        return {text for key in keys if key is not None and (text := self._text(key))}

    def _asset_key(self, node: ast.expr) -> str | None:
        """Return the key that an expression writes out, its parts joined by slashes."""
        if (text := self._text(node)) is not None:
            return text
        if isinstance(node, (ast.List, ast.Tuple)):
            parts = [self._text(element) for element in node.elts]
            return "/".join(part for part in parts if part) if all(parts) and parts else None
        if isinstance(node, ast.Call) and self.names.dagster(node.func) in _KEYED:
            inner = _argument(node, _KEYED[self.names.dagster(node.func)])
            return self._asset_key(inner) if inner is not None else None
        return None

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name) and node.id in self.names.constants:
            value = self.names.constants[node.id]
            return None if isinstance(value, ast.Name) else self._text(value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._text(node.left), self._text(node.right)
            return None if left is None or right is None else left + right
        return None

    def _optional_text(self, keyword: str) -> str | None:
        node = self.given.get(keyword)
        return None if node is None else self._text(node)

    def _skip(self, what: str, node: ast.expr) -> None:
        self.unread.append(Unread(what, self.source.place(node)))


_KEYED = {"AssetKey": "path", "AssetDep": "asset", "AssetSpec": "key"}


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    """Return the first positional argument of a call, or else the one with a name."""
    if call.args:
        return None if isinstance(call.args[0], ast.Starred) else call.args[0]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _takes_data(argument: ast.arg) -> bool:
    return argument.annotation is None or _is_frame(argument.annotation)


def _is_frame(annotation: ast.expr) -> bool:
    return any(frame in written(annotation) for frame in _FRAMES)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
