"""Let schemas flow from bronze to gold, through every function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from . import arithmetic, contracts, frames, increments
from .calling import Call, Input
from .guard import Guard, ImpureError
from .report import Answer, Fault, Files, Place, explained

Schema = Mapping[str, Any]
Change = Callable[[Schema], Schema]

_RESERVED = {"partition": "2024-01-01"}


@dataclass(frozen=True)
class ProbedAsset:
    """One asset as the request describes it."""

    stem: str
    layer: str
    name: str
    function: str
    path: str
    line: int
    deps: tuple[str, ...]


@dataclass
class Flow:
    """One pass over all assets; `known` has the columns that each hands on."""

    files: Files
    guard: Guard
    changes: Mapping[str, Change] = field(default_factory=dict)
    stored: dict[str, Schema | None] = field(default_factory=dict)
    known: dict[str, Input | None] = field(default_factory=dict)
    answer: Answer = field(default_factory=Answer)
    waiting: dict[str, list[str]] = field(default_factory=dict)

    def run(self, assets: list[ProbedAsset]) -> Answer:
        """Check the assets, which come in the order of flow."""
        for asset in assets:
            found = self._check(asset)
            change = self.changes.get(asset.stem)
            if found is not None and change is not None:
                found = Input(change(found.schema))
            self.known[asset.stem] = found
        if self.waiting:
            blocked = [stem for stems in self.waiting.values() for stem in stems]
            self.answer.notes.append(
                f"{_listed(blocked)} could not be checked: the columns of "
                f"{_listed(list(self.waiting))} are known only after a first run"
            )
        return self.answer

    def _check(self, asset: ProbedAsset) -> Input | None:
        """Return what the asset hands on: its contract's columns, or those that come out."""
        try:
            module = import_module(f"{self.files.prefix}core.{asset.stem}")
            function = getattr(module, asset.function, None)
        except Exception as error:  # noqa: BLE001 - whatever the user's module raises
            self._fault("schema", error, Place(asset.path, 1), "cannot be imported: ")
            return None
        contract = getattr(module, "Contract", None)
        want = self._wanted(asset, contract)
        if function is None:
            return None
        if asset.layer != "bronze":
            got = self._flow(asset, function, contract, want)
        else:
            got = None if want is not None else self._stored(asset.stem)
        if want is not None:
            return Input(want, contract)
        return Input(got) if got is not None else self._as_stored(asset.stem)

    def _wanted(self, asset: ProbedAsset, contract: Any) -> Schema | None:
        if not hasattr(contract, "create_empty"):
            return None
        try:
            return contracts.schema_of(contract) or None
        except Exception as error:  # noqa: BLE001 - whatever the user's contract raises
            line, _ = contracts.places(contract)
            self._fault("contract", error, Place(asset.path, line), "the contract is broken: ")
            return None

    def _flow(
        self, asset: ProbedAsset, function: Callable[..., Any], contract: Any, want: Schema | None
    ) -> Schema | None:
        inputs = self._inputs(asset, function, want, contract)
        if inputs is None or not self._has_groups(asset, function, inputs):
            return None
        given = inspect.signature(function).parameters
        extra = {name: value for name, value in _RESERVED.items() if name in given}
        call = Call(function, inputs, extra, self.guard)
        outcome = call.outcome(
            lambda got: want is None or contracts.fits(increments.kept(function, got), want)
        )
        if outcome.error is not None:
            rule = "purity" if isinstance(outcome.error, ImpureError) else "schema"
            prefix = f"{asset.function}() " if rule == "purity" else ""
            self._fault(rule, outcome.error, Place(asset.path, asset.line), prefix)
            return None
        if outcome.schema is None:
            self.answer.notes.append(f"{asset.stem} could not be checked: {outcome.unknown}")
            return None
        schemas = [given.schema for given in inputs.values()]
        for message, hint in arithmetic.losses(outcome.plan, schemas):
            place = Place(asset.path, asset.line)
            self._add("schema", place, f"{asset.function}() {message}", hint, "warning")
        if want is not None:
            self._compare(asset, contract, increments.kept(function, outcome.schema), want)
        if message := increments.wrong_flag(function, outcome.schema):
            self._add("schema", Place(asset.path, asset.line), message, "", "error")
        return outcome.schema

    def _has_groups(
        self, asset: ProbedAsset, function: Callable[..., Any], inputs: Mapping[str, Input]
    ) -> bool:
        """Whether what is read has the columns that Touched names; else say so."""
        found = list(
            increments.lacking(function, {name: one.schema for name, one in inputs.items()})
        )
        for message, hint in found:
            self._add("schema", Place(asset.path, asset.line), message, hint, "error")
        return not found

    def _inputs(
        self,
        asset: ProbedAsset,
        function: Callable[..., Any],
        want: Schema | None,
        contract: Any,
    ) -> dict[str, Input] | None:
        """Return what each parameter is given; `None` if that is not known or does not fit."""
        own = increments.own(function)
        filled = {*_RESERVED, own}
        names = [name for name in inspect.signature(function).parameters if name not in filled]
        by_name = {stem.partition("_")[2]: stem for stem in asset.deps}
        if len(names) == len(asset.deps) == 1:
            bound = {names[0]: asset.deps[0]}
        elif set(names) == set(by_name):
            bound = by_name
        else:
            return None  # the rules that only read have said so
        inputs = {}
        for name, stem in bound.items():
            found = self.known[stem] if stem in self.known else self._as_stored(stem)
            if found is None:
                self.waiting.setdefault(stem, []).append(asset.stem)
                return None
            inputs[name] = found
        if own is not None:
            if want is None:
                return None  # the rules that only read have said so
            inputs[own] = Input(want, contract)
        return inputs

    def _as_stored(self, stem: str) -> Input | None:
        """Return what an asset hands on whose function is not looked at: what it has stored."""
        found = self._stored(stem)
        return Input(found) if found is not None else None

    def _stored(self, stem: str) -> Schema | None:
        """Return the columns of the newest snapshot, if the asset has ever run."""
        if stem not in self.stored:
            try:
                rows = import_module(f"{self.files.prefix}core.storage").read(stem)
                self.stored[stem] = dict(rows.collect_schema())
            except Exception:  # noqa: BLE001 - no data, no settings, no network: not known
                self.stored[stem] = None
        return self.stored[stem]

    def _compare(self, asset: ProbedAsset, contract: Any, got: Schema, want: Schema) -> None:
        start, columns = contracts.places(contract)
        for name, severity, message, hint in contracts.differences(got, want):
            default = (start, 1) if name in want else (asset.line, 1)
            place = Place(asset.path, *columns.get(name, default))
            self._add("contract", place, f"{asset.function}() {message}", hint, severity)

    def _fault(self, rule: str, error: BaseException, place: Place, prefix: str = "") -> None:
        message, hint = explained(error)
        self._add(rule, self.files.where(error) or place, f"{prefix}{message}", hint, "error")

    def _add(self, rule: str, place: Place, message: str, hint: str, severity: str) -> None:
        self.answer.faults.append(
            Fault(rule, place.path, place.line, place.column, message, hint, severity)
        )


def _listed(stems: list[str]) -> str:
    shown = ", ".join(stems[:3])
    return shown if len(stems) <= 3 else f"{shown} and {len(stems) - 3} more"  # noqa: PLR2004


def changes(asked: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, Change]]:
    """Yield each asset that a what-if changes, and the change."""
    for one in asked:
        yield one["asset"], _change(one)


def _change(one: Mapping[str, str]) -> Change:
    def change(schema: Schema) -> Schema:
        column = one["column"]
        if column not in schema:
            raise UnknownColumnError(column, list(schema))
        if one["action"] == "drop":
            return {name: kind for name, kind in schema.items() if name != column}
        if one["action"] == "rename":
            return {one["to"] if name == column else name: kind for name, kind in schema.items()}
        return {name: _type(one["to"]) if name == column else kind for name, kind in schema.items()}

    return change


def _type(name: str) -> Any:
    kind = getattr(frames.polars(), name, None)
    if not isinstance(kind, type):
        raise UnknownTypeError(name)
    return kind() if name != "Decimal" else kind(38, 2)


class UnknownColumnError(Exception):
    """A what-if about a column that is not there."""

    def __init__(self, column: str, known: list[str]) -> None:
        """Say which there are."""
        super().__init__(f"no column is called {column}: there are {', '.join(known)}")


class UnknownTypeError(Exception):
    """A what-if about a type that Polars does not have."""

    def __init__(self, name: str) -> None:
        """Name an example."""
        super().__init__(f"Polars has no type {name}: String, Int64, Float64, Date …")
