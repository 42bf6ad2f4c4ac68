"""Choose assets by an expression, as `--select` takes it.

`gold_revenue` is one asset, `+gold_revenue` with everything upstream, `bronze_orders+` with
everything downstream, `1+gold_revenue` one step up only; `layer:silver`, `silver_*` and `*` are
many. `and`, `or`, `not` and parentheses combine; a comma or a space is an `or`. `polster
list-assets --select` has the same grammar.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase

from polster_runtime.domain.asset_id import AssetId, name_of
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import PipelineError

Graph = Mapping[str, AbstractSet[str]]
"""The assets by their Dagster keys, each with the keys of its upstream assets."""

_WORD = re.compile(r"[()]|[^\s,()]+")
_TERM = re.compile(r"(?P<up>(?P<up_steps>\d*)\+)?(?P<name>[^+]+)(?P<down>\+(?P<down_steps>\d*))?")
_WILD = frozenset("*?[")


class UnknownAsset(PipelineError):
    """A name or an expression that selects nothing; the message says why."""


def select(graph: Graph, expression: str) -> set[str]:
    """Return the keys that an expression selects. Raises UnknownAsset."""
    keys = _Parser(graph, expression).parse()
    if not keys:
        raise UnknownAsset(f"no asset matches {expression!r}")
    return keys


def key_of(name: str, keys: Iterable[str]) -> str:
    """Return the key that orders, bronze_orders or run_bronze_orders means. Raises UnknownAsset."""
    known = {key: AssetId.of_key(key) for key in keys}
    if name in known:
        return name
    word = _stem(name)
    found = [key for key, asset in known.items() if word in _names(key, asset)]
    if len(found) == 1:
        return found[0]
    if found:
        candidates = ", ".join(sorted(map(name_of, found)))
        raise UnknownAsset(f"{name} names more than one asset: {candidates}")
    spellings = [name for key, asset in known.items() for name in _names(key, asset) - {key}]
    spellings += [key for key, asset in known.items() if asset is None]
    raise UnknownAsset(f"no asset is called {name or repr(name)}{_guess(name, spellings)}")


class _Parser:
    """Turns an expression into keys: `or` of `and` of `not` of terms."""

    def __init__(self, graph: Graph, text: str) -> None:
        self.graph = graph
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
            return set(self.graph) - self._one()
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
        keys = set(named)
        if match["up"]:
            keys |= _reach(named, self.graph, match["up_steps"])
        if match["down"]:
            keys |= _reach(named, _reversed(self.graph), match["down_steps"])
        return keys

    def _named(self, name: str) -> set[str]:
        kind, colon, value = name.partition(":")
        value = value.strip("\"'")
        if not colon:
            kind, value = "key", name
        if kind in {"layer", "group"}:
            if value not in LAYERS:
                guess = _guess(value, LAYERS) or f": {', '.join(LAYERS)}"
                raise UnknownAsset(f"no layer is called {value}{guess}")
            return {key for key in self.graph if _layer(key) == value}
        if kind not in {"key", "name"}:
            raise self._error()
        if _WILD.isdisjoint(value):
            return {key_of(value, self.graph)}
        return {key for key in self.graph if _matches(key, value)}

    def _error(self) -> UnknownAsset:
        return UnknownAsset(f"{self.text!r} is not a selection")


def _names(key: str, asset: AssetId | None) -> set[str]:
    return {asset.name, str(asset), asset.key, key} if asset else {key}


def _layer(key: str) -> str | None:
    asset = AssetId.of_key(key)
    return asset.layer if asset else None


def _stem(name: str) -> str:
    """Return the name that a file, or `silver/orders`, stands for."""
    if name.endswith(".py"):
        return name.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
    return name.replace("/", "_")


def _matches(key: str, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in _names(key, AssetId.of_key(key)))


def _guess(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f". Did you mean {close[0]}?" if close else ""


def _reversed(graph: Graph) -> dict[str, set[str]]:
    downstream: dict[str, set[str]] = {key: set() for key in graph}
    for key, upstream in graph.items():
        for one in upstream & downstream.keys():
            downstream[one].add(key)
    return downstream


def _reach(start: Iterable[str], neighbours: Graph, steps: str) -> set[str]:
    """Return what can be reached from `start`, in so many steps or (if "") in any number."""
    found = edge = set(start)
    left = int(steps) if steps else -1
    while edge and left != 0:
        nearby = {other for key in edge for other in neighbours[key] if other in neighbours}
        edge = nearby - found
        found = found | nearby
        left -= 1
    return found
