"""The parameter of a function, renamed with every use of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import libcst as cst  # noqa: TID253 - only commands that edit import this package
import libcst.matchers as m  # noqa: TID253
from libcst.metadata import (  # noqa: TID253
    BaseAssignment,
    ComprehensionScope,
    Scope,
    ScopeProvider,
)

from polster_core.edit.cst import CstFile
from polster_core.edit.equivalence import differ_in_name_only
from polster_core.edit.splice import CannotEditError, Span, Splice

_BY_TEXT = m.OneOf(
    *(m.Name(name) for name in ("eval", "exec", "execute_global", "locals", "sql", "vars"))
)


def rename_parameter(data: bytes, function: str, old: str, new: str) -> bytes:
    """Rename a parameter of a function of the module, and its uses in the function.

    A function without that parameter is left alone, and so is a file without that function.
    Raises CannotEditError where the new name is taken, and where the function looks the
    parameter up by its name, as SQL over local frames does.
    """
    source = CstFile(data)
    found = _function(source, function)
    parameter = _parameter(found, old) if found else None
    if not found or not parameter:
        return data
    _refuse_taken(source, found, new)
    _refuse_lookups(source, found, old)
    spans = {source.all_spans[name] for name in _uses(source, found, parameter)}
    edited = source.replaced(Splice(span, new.encode()) for span in spans)
    if not differ_in_name_only(data, edited, old, new):
        raise CannotEditError(
            f"{function}() uses {old} in a way that cannot be renamed safely",
            line=source.line(source.all_spans[parameter.name].start),
            hint=f"rename the parameter to {new} by hand, then run this again",
        )
    return edited


def parameters(data: bytes, function: str) -> list[str] | None:
    """Return the names of a function's parameters; `None` if the module has no such function."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError) as error:
        raise CannotEditError(f"the file cannot be parsed: {error}") from error
    found = None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            given = node.args
            found = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return found


def _function(source: CstFile, name: str) -> cst.FunctionDef | None:
    """Return the last function of that name at the top of the module: the one that counts."""
    found = None
    for statement in source.module.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == name:
            found = statement
    return found


def _parameter(function: cst.FunctionDef, name: str) -> cst.Param | None:
    given = function.params
    every = (*given.posonly_params, *given.params, *given.kwonly_params)
    return next((one for one in every if one.name.value == name), None)


def _uses(source: CstFile, function: cst.FunctionDef, parameter: cst.Param) -> Iterator[cst.Name]:
    """Yield the names that mean the parameter, in inner functions too."""
    scopes = source.wrapper.resolve(ScopeProvider)
    scope, old = scopes[function.body], parameter.name.value
    ours = set(scope[old]) if scope else set()
    # libcst takes a name that `:=` binds in a comprehension for the comprehension's own.
    for node in m.findall(function.body, m.NamedExpr(m.Name(old))):
        inner = scopes.get(node)
        if inner is not scope and _without_comprehensions(inner) is scope and inner:
            ours |= inner[old]
    yield parameter.name
    for assignment in ours:
        bound = getattr(assignment, "node", None)
        if isinstance(bound, cst.Name):
            yield bound
        elif isinstance(bound, (cst.Import, cst.ImportFrom)):
            yield from _bound_names(bound, old)
        for access in assignment.references:
            if isinstance(access.node, cst.Name):
                yield access.node
    for node in m.findall(function.body, m.Nonlocal()):
        if _means(scopes.get(node), old, ours):
            items = cst.ensure_type(node, cst.Nonlocal).names
            yield from (item.name for item in items if item.name.value == old)


def _without_comprehensions(scope: Scope | None) -> Scope | None:
    while isinstance(scope, ComprehensionScope):
        scope = scope.parent
    return scope


def _means(scope: Scope | None, name: str, ours: set[BaseAssignment]) -> bool:
    return scope is not None and bool(scope[name] & ours)


def _bound_names(node: cst.Import | cst.ImportFrom, name: str) -> Iterator[cst.Name]:
    for found in m.findall(node, m.AsName(m.Name(name))):
        yield cst.ensure_type(cst.ensure_type(found, cst.AsName).name, cst.Name)


def _refuse_taken(source: CstFile, function: cst.FunctionDef, new: str) -> None:
    for node in m.findall(function, m.Name(new)):
        if _is_variable(function, node):
            raise CannotEditError(
                f"{function.name.value}() uses the name {new} already",
                line=source.line(source.all_spans[node].start),
                hint="rename that variable first",
            )


def _is_variable(function: cst.FunctionDef, name: cst.CSTNode) -> bool:
    """Whether a name is more than an attribute or the keyword of an argument."""
    attribute = m.Attribute(attr=m.MatchIfTrue(lambda node: node is name))
    keyword = m.Arg(keyword=m.MatchIfTrue(lambda node: node is name))
    return not m.findall(function, attribute | keyword)


def _refuse_lookups(source: CstFile, function: cst.FunctionDef, old: str) -> None:
    """Refuse where a text in the function has the name and something may look it up."""
    globally = m.Arg(keyword=m.Name("register_globals")) | m.Name("register_globals")
    lookups = m.findall(function, m.Call(_BY_TEXT | m.Attribute(attr=_BY_TEXT)) | globally)
    word = re.compile(rb"(?<!\w)" + old.encode() + rb"(?!\w)")
    for text in m.findall(function, m.SimpleString() | m.FormattedStringText()):
        span: Span = source.all_spans[text]
        if lookups and word.search(source.code(span)):
            raise CannotEditError(
                f"{function.name.value}() looks up {old} by its name in a text",
                line=source.line(span.start),
                hint=f"name the frame in the call:  pl.SQLContext({old}={old}).execute(...)",
            )
