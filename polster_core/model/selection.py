"""Choose assets by an expression, as `--select` takes it.

`gold_revenue` is one asset, `+gold_revenue` with everything upstream, `bronze_orders+` with
everything downstream, `1+gold_revenue` one step up only; `layer:silver`, `silver_*` and `*` are
many. `and`, `or`, `not` and parentheses combine; a comma or a space is an `or`. `polster run
--select` has the same grammar (`polster_runtime.domain.selection`); tests/selections.py has
examples that both keep to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from polster_core.errors import UsageProblem
from polster_core.model.layers import Layer
from polster_core.model.names import did_you_mean
from polster_core.model.pipeline import Asset, Pipeline

_WORD = re.compile(r"[()]|[^\s,()]+")
_TERM = re.compile(r"(?P<up>(?P<up_steps>\d*)\+)?(?P<name>[^+]+)(?P<down>\+(?P<down_steps>\d*))?")
_WILD = frozenset("*?[")


class SelectionError(UsageProblem):
    """An expression that is not one, or that selects nothing."""


def select(pipeline: Pipeline, expressions: Sequence[str]) -> tuple[Asset, ...]:
    """Return the assets that any of the expressions selects, all without one, in their order.

    Raises SelectionError, or AssetNameError for a name that is none or means several assets.
    """
    text = " ".join(expressions)
    if not expressions:
        return pipeline.assets
    keys = _Parser(pipeline, text).parse()
    if not keys and pipeline.assets:
        raise SelectionError(f"no asset matches {text!r}")
    return tuple(asset for asset in pipeline.assets if asset.key in keys)


class _Parser:
    """Turns an expression into keys: `or` of `and` of `not` of terms."""

    def __init__(self, pipeline: Pipeline, text: str) -> None:
        self.pipeline = pipeline
        self.text = text
        self.words = _WORD.findall(text)

    def parse(self) -> set[str]:
        keys = self._either()
        if self.words:
            raise self._error()
        return keys

    def _either(self) -> set[str]:
        keys = self._both()
        while self.words and self.words[0] not in {")", "and"}:
            if self.words[0] == "or":
                self.words.pop(0)
            keys |= self._both()
        return keys

    def _both(self) -> set[str]:
        keys = self._one()
        while self.words and self.words[0] == "and":
            self.words.pop(0)
            keys &= self._one()
        return keys

    def _one(self) -> set[str]:
        word = self.words.pop(0) if self.words else ""
        if word == "not":
            return set(self.pipeline.by_key) - self._one()
        if word == "(":
            keys = self._either()
            if not self.words or self.words.pop(0) != ")":
                raise self._error()
            return keys
        if word in {"", ")", "and", "or"}:
            raise self._error()
        return self._term(word)

    def _term(self, word: str) -> set[str]:
        match = _TERM.fullmatch(word)
        if match is None:
            raise self._error()
        named = self._named(match["name"])
        keys = {asset.key for asset in named}
        if match["up"]:
            keys |= _reach(named, self.pipeline.upstream, match["up_steps"])
        if match["down"]:
            keys |= _reach(named, self.pipeline.downstream, match["down_steps"])
        return keys

    def _named(self, name: str) -> tuple[Asset, ...]:
        kind, colon, value = name.partition(":")
        value = value.strip("\"'")
        if not colon:
            kind, value = "key", name
        if kind in {"layer", "group"}:
            if value not in set(Layer):
                near = did_you_mean(value, Layer)
                raise SelectionError(f"no layer is called {value}{near}", hint=_LAYERS)
            return self.pipeline.in_layer(Layer(value))
        if kind not in {"key", "name"}:
            raise self._error()
        if _WILD.isdisjoint(value):
            return (self.pipeline.resolve(value),)
        return tuple(asset for asset in self.pipeline.assets if _matches(asset, value))

    def _error(self) -> SelectionError:
        return SelectionError(
            f"{self.text!r} is not a selection",
            hint="for example  +gold_revenue, bronze_orders+, layer:silver, 'silver_*'",
        )


_LAYERS = f"the layers are {', '.join(Layer)}"


def _matches(asset: Asset, pattern: str) -> bool:
    return any(fnmatchcase(text, pattern) for text in (asset.name, asset.id.stem, asset.key))


def _reach(
    start: Iterable[Asset], neighbours: Callable[[Asset], Iterable[Asset]], steps: str
) -> set[str]:
    """Return what can be reached from `start`, in so many steps or (if "") in any number."""
    found = {asset.key for asset in start}
    edge = list(start)
    left = int(steps) if steps else -1
    while edge and left != 0:
        nearby = {other.key: other for asset in edge for other in neighbours(asset)}
        edge = [other for key, other in nearby.items() if key not in found]
        found.update(nearby)
        left -= 1
    return found
