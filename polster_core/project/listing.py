"""What `polster list-assets` shows: a table for people, JSON in a published form for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from polster_core.model import layout
from polster_core.model.facts import Definition, Dependency
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
                    "partitions": {
                        **_TEXT,
                        "description": "what kind it has, or their name; absent without",
                    },
                    "core_file": _FILE,
                    "asset_file": _FILE,
                    "columns": {
                        "type": "object",
                        "description": "what --column asked for, by name",
                        "additionalProperties": _TEXT,
                    },
                },
            },
        },
        "others": {
            "type": "array",
            "description": "assets of no layer beside them; absent where there are none",
            "items": {
                "type": "object",
                "required": ["key", "deps", "description", "asset_file"],
                "properties": {
                    "key": {**_TEXT, "description": "the asset's key in Dagster"},
                    "deps": {"type": "array", "items": _TEXT},
                    "description": _TEXT,
                    "asset_file": _TEXT,
                },
            },
        },
    },
}


def describe(asset: Asset) -> dict[str, Any]:
    """Return an asset as plain values, in the published form."""
    parts = {"partitions": asset.partitions} if asset.partitions else {}
    return {
        "key": layout.current().key(asset.key),
        "layer": str(asset.layer),
        "name": asset.name,
        "deps": _keys(asset.deps),
        "description": asset.description,
        **parts,
        "core_file": str(asset.core_file) if asset.core_file else None,
        "asset_file": str(asset.asset_file) if asset.asset_file else None,
    }


def describe_other(definition: Definition) -> dict[str, Any]:
    """Return an asset of no layer as plain values, in the published form."""
    return {
        "key": layout.current().key(definition.key),
        "deps": _keys(definition.deps),
        "description": definition.description,
        "asset_file": str(definition.place.path),
    }


def _keys(deps: Iterable[Dependency]) -> list[str]:
    return [layout.current().key(key) for key in dict.fromkeys(dep.key for dep in deps)]


Cells = Mapping[str, Sequence[str]]
"""Columns of plugins by name, each with a cell for each asset."""
_NONE: Cells = {}


def as_json(assets: Iterable[Asset], more: Cells = _NONE, others: Sequence[Definition] = ()) -> str:
    """Return the document that `RESPONSE_SCHEMA` describes, one asset a line."""
    described = []
    for index, asset in enumerate(assets):
        columns_ = {name: cells[index] for name, cells in more.items()}
        described.append(describe(asset) | ({"columns": columns_} if more else {}))
    found = {"assets": described, **({"others": [*map(describe_other, others)]} if others else {})}
    return f"{{{', '.join(f'{json.dumps(name)}: {_lines(rows)}' for name, rows in found.items())}}}"


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    return f"[\n{lines}\n]" if lines else "[]"


def as_table(
    assets: Iterable[Asset], more: Cells = _NONE, others: Iterable[Definition] = ()
) -> Iterator[str]:
    """Yield aligned lines, the header first, assets of no layer last.

    The columns of plugins are before the last.
    """
    rows: list[Sequence[str]] = [(*HEADER[:-1], *map(str.upper, more), HEADER[-1])]
    for index, asset in enumerate(assets):
        *usual, last = _row(asset)
        rows.append((*usual, *(cells[index] for cells in more.values()), last))
    for other in others:
        *usual, last = _other_row(other)
        rows.append((*usual, *("" for _ in more), last))
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
    mark = f" [{asset.partitions}]" if asset.partitions else ""
    return asset.layer, f"{asset.name}{mark}", deps, asset.description


def _other_row(definition: Definition) -> tuple[str, str, str, str]:
    deps = ", ".join(dict.fromkeys(str(dep.id or dep.key) for dep in definition.deps))
    return "-", definition.key, deps, definition.description


def _shown(asset: Asset, dep: Dependency) -> str:
    """Return a dependency's name, with its layer where that is not the expected one."""
    upstream = dep.id
    if upstream is None:
        return dep.shown
    return upstream.name if upstream.layer is asset.layer.upstream else upstream.stem
