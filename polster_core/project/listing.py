"""What `polster list-assets` shows: a table for people, JSON in a published form for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from polster_core.model.facts import Dependency
from polster_core.model.layers import Layer
from polster_core.model.pipeline import Asset

HEADER = ("LAYER", "ASSET", "DEPENDS ON", "DESCRIPTION")
_WIDEST = 40
"""Columns: a cell longer than this does not push the cells below and above it to the right."""

_TEXT = {"type": "string"}
_FILE = {"type": ["string", "null"], "description": "relative to the project; null if missing"}
RESPONSE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "polster list-assets --format json",
    "type": "object",
    "required": ["assets"],
    "properties": {
        "assets": {
            "type": "array",
            "description": "bronze first, by name within a layer",
            "items": {
                "type": "object",
                "required": [
                    "key",
                    "layer",
                    "name",
                    "deps",
                    "description",
                    "core_file",
                    "asset_file",
                ],
                "properties": {
                    "key": {**_TEXT, "description": "the asset's key in Dagster"},
                    "layer": {"enum": [str(layer) for layer in Layer]},
                    "name": {**_TEXT, "description": "the name without its layer"},
                    "deps": {
                        "type": "array",
                        "items": _TEXT,
                        "description": "keys of the assets that it is declared to depend on",
                    },
                    "description": _TEXT,
                    "core_file": _FILE,
                    "asset_file": _FILE,
                },
            },
        }
    },
}


def describe(asset: Asset) -> dict[str, Any]:
    """Return an asset as plain values, in the published form."""
    return {
        "key": asset.key,
        "layer": str(asset.layer),
        "name": asset.name,
        "deps": list(dict.fromkeys(dep.key for dep in asset.deps)),
        "description": asset.description,
        "core_file": str(asset.core_file) if asset.core_file else None,
        "asset_file": str(asset.asset_file) if asset.asset_file else None,
    }


def as_json(assets: Iterable[Asset]) -> str:
    """Return the document that `RESPONSE_SCHEMA` describes, one asset a line."""
    lines = ",\n".join(f"  {json.dumps(describe(asset))}" for asset in assets)
    return f'{{"assets": [\n{lines}\n]}}' if lines else '{"assets": []}'


def as_table(assets: Iterable[Asset]) -> Iterator[str]:
    """Yield aligned lines, the header first."""
    rows = [HEADER, *(_row(asset) for asset in assets)]
    return columns(rows)


def columns(rows: Sequence[Sequence[str]], *, widest: int = _WIDEST) -> Iterator[str]:
    """Align the cells of rows, two spaces apart; cells beyond `widest` columns stand out."""
    widths = [
        max((len(cell) for cell in column if len(cell) <= widest), default=0)
        for column in zip(*rows, strict=True)
    ]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _row(asset: Asset) -> tuple[str, str, str, str]:
    deps = ", ".join(dict.fromkeys(_shown(asset, dep) for dep in asset.deps))
    return asset.layer, asset.name, deps, asset.description


def _shown(asset: Asset, dep: Dependency) -> str:
    """Return a dependency's name, with its layer where that is not the expected one."""
    upstream = dep.id
    if upstream is None:
        return dep.key
    return upstream.name if upstream.layer is asset.layer.upstream else upstream.stem
