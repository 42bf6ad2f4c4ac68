"""Which assets a command line asks for.

An expression is what Dagster takes, with names that mean what they mean elsewhere in the project:
`gold_revenue`, `+gold_revenue` with all that it is made of, `bronze_orders+` with all that is
made of it, `layer:silver`, `*`, joined by `and`, `or`, `not`; a comma or a space is an `or`.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import dagster as dg

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS

TERM = re.compile(r"^(?P<up>\+?)(?P<name>\w+)(?P<down>\+?)$")
WORDS = re.compile(r"\s*(\(|\)|,|\s)\s*")
OPERATORS = {"and", "or", "not", "(", ")"}

Keys = AbstractSet[dg.AssetKey]
Graph = Any
"""Dagster's asset graph, which has no public name."""


class UnknownAsset(Exception):
    """A name that no asset has, or that several have; the message says which."""


def select(graph: Graph, names: Sequence[str], expression: str | None) -> Keys:
    """The assets that are named, else those of an expression, else all. Raises UnknownAsset."""
    keys = graph.materializable_asset_keys
    if names:
        return {key_of(name, keys) for name in names}
    if not keys:
        raise UnknownAsset("this project has no assets yet")
    text = dagster_expression("*" if expression is None else expression, keys)
    try:
        selected: Keys = dg.AssetSelection.from_string(text).resolve(graph) if text else set()
    except dg.DagsterError:
        raise UnknownAsset(f"{expression!r} is not an asset selection") from None
    if not selected:
        raise UnknownAsset(f"no asset matches {expression!r}")
    return selected


def dagster_expression(expression: str, keys: Iterable[dg.AssetKey]) -> str:
    """An expression as Dagster takes it."""
    known = list(keys)
    words = [word for word in WORDS.split(expression.strip()) if word.strip()]
    terms: list[str] = []
    for word in words:
        follows_term = terms and terms[-1] not in OPERATORS - {")"}
        if word == "," or (follows_term and word not in OPERATORS - {"(", "not"}):
            terms.append("or")
        if word != ",":
            terms.append(word if word in OPERATORS else _term(word, known))
    return " ".join(terms)


def _term(word: str, keys: Iterable[dg.AssetKey]) -> str:
    if word.startswith("layer:"):
        layer = word.removeprefix("layer:")
        if layer not in LAYERS:
            raise UnknownAsset(f"no layer is called {layer}: {', '.join(LAYERS)}")
        return f"group:{layer}"
    if found := TERM.match(word):
        key = key_of(found["name"], keys).to_user_string()
        return f'{found["up"]}key:"{key}"{found["down"]}'
    return word


def key_of(name: str, keys: Iterable[dg.AssetKey]) -> dg.AssetKey:
    """The key that orders, bronze_orders or run_bronze_orders stands for. Raises UnknownAsset."""
    known = {key: AssetId.parse(key.to_user_string()) for key in keys}
    found = [key for key, asset in known.items() if name in (asset.name, str(asset), asset.key)]
    if len(found) == 1:
        return found[0]
    if found:
        candidates = ", ".join(sorted(str(known[key]) for key in found))
        raise UnknownAsset(f"{name} is ambiguous: {candidates}")
    spellings = [spelling for asset in known.values() for spelling in (asset.name, str(asset))]
    close = difflib.get_close_matches(name, spellings, n=1)
    guess = f". Did you mean {close[0]}?" if close else ""
    raise UnknownAsset(f"no asset is called {name or repr(name)}{guess}")
