"""What functions say of increments: New, Touched, Own, Append and Upsert, and whether they fit.

The runtime refuses the same when Dagster loads the project, or when the asset runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from polster_core.model.diagnostics import Problem, ValidationRule
from polster_core.model.facts import Annotation, Core, Parameter, Place
from polster_core.model.layers import Layer
from polster_core.model.pipeline import Asset, Pipeline

_READS = ("New", "Touched", "Own")
_RETURNS = ("Append", "Upsert")
_RUNTIME = "polster_runtime"


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """One of the words, at its place; `columns` are those of Touched, `None` if computed."""

    word: str
    place: Place
    parameter: str = ""
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class _Marks:
    """What a function says of increments."""

    core: Core
    given: tuple[_Mark, ...]
    returned: _Mark | None

    @property
    def place(self) -> Place:
        """Where it says, or does not say, what it returns."""
        written = self.core.returns.place if self.core.returns else self.core.place
        return written or Place(self.core.path)

    @property
    def kind(self) -> str:
        """What it returns: Append, Upsert, or nothing of the kind."""
        return self.returned.word if self.returned else ""

    def of(self, word: str) -> list[_Mark]:
        """Return the parameters that are given this."""
        return [mark for mark in self.given if mark.word == word]


def increments(pipeline: Pipeline) -> Iterator[Problem]:
    """Find annotations that do not go together, with the contract, or with what is upstream."""
    marks = {
        asset.key: _marks(asset.core)
        for asset in pipeline.assets
        if asset.core and asset.core.place
    }
    for asset in pipeline.assets:
        found = marks.get(asset.key)
        if found is not None and (found.given or found.returned):
            wrong = [*_in_bronze(asset, found)] or [*_misplaced(found)]
            wrong = wrong or [*_combinations(found)] or [*_contract(found)]
            yield from wrong or _upstream(pipeline, asset, found, marks)


def _marks(core: Core) -> _Marks:
    names = {
        found.alias: found.name
        for found in core.imports
        if found.module.partition(".")[0] == _RUNTIME
    }
    given = [_mark(parameter, names, parameter.name) for parameter in core.parameters]
    returned = _mark(core.returns, names) if core.returns else None
    return _Marks(core=core, given=tuple(filter(None, given)), returned=returned)


def _mark(
    written: Parameter | Annotation, names: Mapping[str, str], parameter: str = ""
) -> _Mark | None:
    text = written.annotation if isinstance(written, Parameter) else written.text
    if not names or not text:
        return None
    for node in _nodes(text):
        called = node.func if isinstance(node, ast.Call) else node
        word = _word(called, names)
        if word in _READS + _RETURNS and isinstance(node, ast.Call) == (word == "Touched"):
            columns = _texts(node) if isinstance(node, ast.Call) else None
            return _Mark(word=word, place=written.place, parameter=parameter, columns=columns)
    return None


def _nodes(text: str) -> Iterator[ast.AST]:
    """Yield the parts of an annotation, also of one that is written as a text."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        return
    if isinstance(tree.body, ast.Constant) and isinstance(tree.body.value, str):
        yield from _nodes(tree.body.value)
    else:
        yield from ast.walk(tree)


def _word(node: ast.AST, names: Mapping[str, str]) -> str:
    """Return what a name, or one of a module, is called in the runtime."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if names.get(node.value.id) == "" else ""
    return ""


def _texts(call: ast.Call) -> tuple[str, ...] | None:
    texts = [each.value for each in call.args if isinstance(each, ast.Constant)]
    return tuple(map(str, texts)) if len(texts) == len(call.args) else None


def _in_bronze(asset: Asset, marks: _Marks) -> Iterator[Problem]:
    """Yield the first word of a bronze asset, whose increments are what it yields."""
    first = next((mark for mark in (*marks.given, marks.returned) if mark), None)
    if asset.layer is Layer.BRONZE and first:
        yield Problem.at(
            first.place,
            f"{first.word} is for silver and gold: a bronze asset that takes position adds what "
            "it yields",
            hint="a silver asset with Touched makes the current rows of it: "
            "polster add-asset --template latest",
        )


def _misplaced(marks: _Marks) -> Iterator[Problem]:
    """Yield words that say something else than they are put for."""
    function = f"{marks.core.function}()"
    if marks.returned and marks.kind not in _RETURNS:
        message = f"{function} returns {marks.kind}, which says what a function is given"
        yield Problem.at(marks.place, message, hint="pl.LazyFrame, Append or Upsert")
    for mark in marks.given:
        if mark.word in _RETURNS:
            message = f"{mark.parameter} is {mark.word}, which says what a function returns"
            yield Problem.at(mark.place, message, hint="pl.LazyFrame, New, Touched or Own")


def _combinations(marks: _Marks) -> Iterator[Problem]:
    """Yield words that no contract would make fit."""
    for word in _READS:
        if len(several := marks.of(word)) > 1:
            names = " and ".join(mark.parameter for mark in several)
            message = f"{names} are both {word}: one parameter may be"
            yield Problem.at(several[1].place, message, hint="read the others as pl.LazyFrame")
    touched, new, own = marks.of("Touched"), marks.of("New"), marks.of("Own")
    if touched and (marks.kind != "Upsert" or new or own):
        message = "Touched needs -> Upsert, and goes with neither New nor Own"
        yield Problem.at(touched[0].place, message)
    elif new and not marks.returned:
        message = "New needs -> Append or -> Upsert: else the rows so far would be lost"
        yield Problem.at(
            marks.place, message, hint=f"{new[0].parameter}: pl.LazyFrame for all rows"
        )
    elif marks.kind == "Append" and not (new or own):
        message = "Append needs New or Own: else each run would add all rows again"
        hint = "New for what is new, Own to leave out what is there"
        yield Problem.at(marks.place, message, hint=hint)


def _contract(marks: _Marks) -> Iterator[Problem]:
    """Yield what the contract does not name."""
    core = marks.core
    if core.contract is None and "Contract" in core.names:
        return  # made in a way that only running the file would tell
    columns = core.columns if core.contract else ()
    if (own := marks.of("Own")) and core.contract is None:
        message = "Own needs a class Contract, which says what columns there are"
        yield Problem.at(own[0].place, message, hint=f"class Contract above {core.function}()")
        return
    if columns is None:
        return
    if touched := marks.of("Touched"):
        named = touched[0].columns
        if named is not None and (not named or not set(named) <= set(columns)):
            lacking = ", ".join(repr(name) for name in named if name not in columns)
            message = f"the contract has no column {lacking}, which Touched names"
            yield Problem.at(
                touched[0].place,
                message if lacking else "Touched names no columns",
                hint="name columns that the upstream asset has, and the result",
            )
    elif marks.kind == "Upsert" and not core.primary_key:
        yield Problem.at(
            core.contract or marks.place,
            "Upsert needs a primary key: it says which rows are replaced",
            hint="primary_key=True for a column of class Contract",
        )


def _upstream(
    pipeline: Pipeline, asset: Asset, found: _Marks, marks: Mapping[str, _Marks]
) -> Iterator[Problem]:
    """Yield what the upstream asset does not go with."""
    for mark in (*found.of("New"), *found.of("Touched")):
        upstream = _bound(pipeline, asset, found, mark.parameter)
        if upstream is None or upstream.core is None:
            continue
        above, columns = marks.get(upstream.key), upstream.core.columns
        if mark.word == "New" and above is not None and above.kind == "Upsert":
            yield Problem.at(
                mark.place,
                f"{mark.parameter} is New, but {upstream} returns Upsert, which replaces and "
                "removes rows",
                hint="Annotated[pl.LazyFrame, Touched(...)], or pl.LazyFrame for all rows",
            )
        # A contract without columns is not written yet.
        elif mark.columns and columns and not set(mark.columns) <= set(columns):
            lacking = ", ".join(repr(name) for name in mark.columns if name not in columns)
            message = f"{upstream} has no column {lacking}, which Touched names"
            yield Problem.at(mark.place, message, hint=f"it has {', '.join(columns)}")


def _bound(pipeline: Pipeline, asset: Asset, marks: _Marks, parameter: str) -> Asset | None:
    """Return the asset whose rows a parameter is given."""
    own = {mark.parameter for mark in marks.of("Own")}
    names = [one.name for one in marks.core.parameters if one.name not in own]
    upstream = pipeline.upstream(asset)
    if len(names) == len(upstream) == 1:
        return upstream[0]
    return next((one for one in upstream if one.name == parameter), None)


RULES = (
    ValidationRule(
        name="increments",
        summary="New, Touched, Own, Append and Upsert fit each other, the contract and upstream.",
        check=increments,
    ),
)
