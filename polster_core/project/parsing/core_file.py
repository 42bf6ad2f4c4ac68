"""What a core file offers: the function of its layer, and everything around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from polster_core.model import layout
from polster_core.model.facts import Access, Annotation, Core, Import, Parameter, Place
from polster_core.model.layers import AssetId
from polster_core.project.parsing.contract_columns import contract_columns
from polster_core.project.parsing.source import ParsedFile, docstring, is_main_guard, written

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_POLARS_READ = re.compile(r"(read|scan)_(?!.*_schema$)\w+")
_FILE_METHODS = frozenset({"open", "read_text", "read_bytes", "write_text", "write_bytes"})
_WRITE_METHODS = re.compile(r"(sink|write)_\w+")
_READERS = frozenset({"polars", "pandas", "pyarrow", "duckdb", "fsspec", "deltalake"})
# A file without any of these words has no such call, and its tree need not be searched.
_SUSPICIOUS = (b"read_", b"scan_", b"sink_", b"write_", b"open", b"storage")


def core(source: ParsedFile, asset: AssetId) -> Core:
    """Return what the core file of `asset` says."""
    imports = tuple(source.imports())
    functions = [
        node
        for node in source.tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name == asset.layer.function
    ]
    function = functions[0] if functions else None
    contract = _contract(source)
    columns = contract_columns(contract)
    return Core(
        path=source.path,
        description=(docstring(function) if function else "") or docstring(source.tree),
        function=function.name if function else None,
        place=source.name_place(function) if function else None,
        parameters=tuple(_parameters(source, function)) if function else (),
        returns=_returns(source, function) if function else None,
        stub=_stub(source, function) if function else None,
        contract=source.name_place(contract) if contract else None,
        empty_contract=contract is not None and _is_empty(contract),
        columns=None if columns is None else tuple(columns),
        primary_key=None if columns is None else tuple(filter(columns.get, columns)),
        duplicate=source.name_place(functions[1]) if len(functions) > 1 else None,
        accesses=tuple(_accesses(source, asset, imports)),
        imports=imports,
        names=frozenset(source.names()),
        runs=any(map(_runs, source.tree.body)),
    )


def _runs(node: ast.stmt) -> bool:
    """Whether a statement at the top level calls something when the file is run."""
    if isinstance(node, ast.If) and is_main_guard(node):
        return any(isinstance(part, ast.Call) for part in ast.walk(node))
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _contract(source: ParsedFile) -> ast.ClassDef | None:
    """Return the class `Contract`, which the runtime finds by that name."""
    for node in source.statements:
        if isinstance(node, ast.ClassDef) and node.name == "Contract":
            return node
    return None


def _is_empty(contract: ast.ClassDef) -> bool:
    """Whether a contract says nothing, and is made from nothing that could."""
    bases = [written(base).rpartition(".")[2] for base in contract.bases]
    says = any(not isinstance(node, (ast.Expr, ast.Pass)) for node in contract.body)
    return bases == ["Schema"] and not says


def _parameters(source: ParsedFile, function: _Function) -> Iterator[Parameter]:
    given = function.args
    positional = (*given.posonlyargs, *given.args)
    optional = len(positional) - len(given.defaults)
    for index, argument in enumerate(positional):
        kind = "/" if index < len(given.posonlyargs) else ""
        yield _parameter(source, argument, required=index < optional, kind=kind)
    if given.vararg:
        yield _parameter(source, given.vararg, required=False, kind="*")
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _parameter(source, argument, required=default is None)
    if given.kwarg:
        yield _parameter(source, given.kwarg, required=False, kind="**")


def _parameter(
    source: ParsedFile, argument: ast.arg, *, required: bool, kind: str = ""
) -> Parameter:
    annotation = written(argument.annotation) if argument.annotation else ""
    return Parameter(argument.arg, source.place(argument), annotation, required, kind)


def _returns(source: ParsedFile, function: _Function) -> Annotation | None:
    if function.returns is None:
        return None
    return Annotation(written(function.returns), source.place(function.returns))


def _stub(source: ParsedFile, function: _Function) -> Place | None:
    """Return where a function says that it is not written yet.

    That is a `raise NotImplementedError` that nothing leads around, or a body of nothing at all.
    """
    body = function.body
    for statement in body:
        if isinstance(statement, ast.Raise) and _is_not_implemented(statement.exc):
            return source.place(statement)
        if isinstance(statement, ast.Return):
            return None
    rest = [statement for statement in body if not _is_constant(statement)]
    if all(isinstance(statement, ast.Pass) for statement in rest):
        return source.place(rest[0] if rest else body[-1])
    return None


def _is_not_implemented(node: ast.expr | None) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Name) and called.id == "NotImplementedError"


def _is_constant(node: ast.stmt) -> bool:
    """Whether a statement is a docstring or an ellipsis."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _accesses(source: ParsedFile, asset: AssetId, imports: tuple[Import, ...]) -> Iterator[Access]:
    """Yield what reaches for data outside the parameters: files, storage, other assets' code."""
    names = {found.alias: found for found in imports}
    modules = {alias: other for alias, found in names.items() if (other := _asset_module(found))}
    for alias, other in modules.items():
        found = names[alias]
        if other != asset and found.name == other.layer.function:
            yield Access(f"{found.module}.{found.name}", found.place, asset=other)
    if not modules and not any(word in source.data for word in _SUSPICIOUS):
        return
    for node in source.tree.body:
        if isinstance(node, ast.If) and is_main_guard(node):
            continue
        for call in ast.walk(node):
            if not isinstance(call, ast.Call):
                continue
            if (other := _asset_called(call.func, modules)) not in {None, asset}:
                yield Access(_written(call.func), source.place(call), asset=other)
            elif _touches_storage(call.func, names):
                yield Access(_written(call.func), source.place(call), _target(call))


def _asset_module(found: Import) -> AssetId | None:
    """Return the asset whose core module, or a name in it, is imported."""
    module = found.module.removeprefix("src.")
    if module in {"core", "."}:
        return AssetId.parse(found.name)
    if module.startswith("core.") or (module.startswith(".") and len(module) > 1):
        return AssetId.parse(module.removeprefix("core").lstrip("."))
    return None


def _asset_called(called: ast.expr, modules: dict[str, AssetId]) -> AssetId | None:
    """Return the asset whose function is called through its module: `bronze_orders.extract`."""
    if not isinstance(called, ast.Attribute):
        return None
    other = modules.get(written(called.value)) if _base(called.value) else None
    return other if other is not None and called.attr == other.layer.function else None


def _touches_storage(called: ast.expr, names: dict[str, Import]) -> bool:
    found = names.get(_base(called))
    if found is None:
        return _touches_file(called)
    storage = layout.current().module("core.storage")
    if f"{found.module}.{found.name}".startswith((storage, f"src.{storage}")):
        return True
    name = called.attr if isinstance(called, ast.Attribute) else found.name
    return found.module.partition(".")[0] in _READERS and _reads(name)


def _touches_file(called: ast.expr) -> bool:
    """Whether a built-in or a method of an unknown object opens, reads or writes a file."""
    if isinstance(called, ast.Attribute):
        return called.attr in _FILE_METHODS or bool(_WRITE_METHODS.fullmatch(called.attr))
    return isinstance(called, ast.Name) and called.id == "open"


def _reads(name: str) -> bool:
    return name == "open" or _POLARS_READ.fullmatch(name) is not None


def _base(node: ast.expr) -> str:
    """Return the first name of a dotted expression; "" if it begins with something else."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _written(called: ast.expr) -> str:
    """Return the name of what is called, shortened to its last parts."""
    if isinstance(called, ast.Attribute):
        base = _base(called.value)
        return f"{base}.{called.attr}" if base else f"….{called.attr}"
    return called.id if isinstance(called, ast.Name) else "…"


def _target(call: ast.Call) -> str:
    """Return the texts in a call's arguments, which is where a path would be."""
    texts = (
        part.value
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for part in ast.walk(argument)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    return "/".join(texts)
