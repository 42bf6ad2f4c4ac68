"""Sums and products whose result may not fit the type that Polars gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from . import frames

_SUM = re.compile(r'col\("([^"]+)"\)(?:\.filter\([^()]*(?:\([^()]*\)[^()]*)*\))?\.(?:cum_)?sum\(')
_PRODUCT = re.compile(r'col\("([^"]+)"\)\)? \* \(?col\("([^"]+)"\)')
_NARROW = ("Int32", "UInt32")
"""Polars widens sums of shorter integers to Int64, but not of these."""


def losses(plan: str, schemas: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield message and hint for what a plan, as Polars explains it, may compute wrongly.

    Only columns of the inputs are known: one that the function makes itself is not looked at.
    """
    types = _types(schemas)
    for name in dict.fromkeys(_SUM.findall(plan)):
        kind = str(types.get(name, ""))
        if kind in _NARROW:
            message = f"sums {name}, which is {kind}: a sum beyond its range overflows silently"
            yield message, f'pl.col("{name}").cast(pl.Int64).sum()'
    for one, other in dict.fromkeys(_PRODUCT.findall(plan)):
        scales = [getattr(types.get(name), "scale", 0) for name in (one, other)]
        if all(scales):
            places = f"decimals of {scales[0]} and {scales[1]} places"
            message = f"multiplies {one} by {other}, {places}: Polars keeps {max(scales)} of "
            hint = f'pl.col("{one}").cast(pl.Decimal(38, {sum(scales)}))'
            yield f"{message}{sum(scales)}", hint


def _types(schemas: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the type of each name that has the same one in all inputs."""
    found: dict[str, set[Any]] = {}
    for schema in schemas:
        for name, kind in schema.items():
            found.setdefault(name, set()).add(kind)
    return {name: next(iter(kinds)) for name, kinds in found.items() if len(kinds) == 1}


def cut(got: Any, want: Any) -> bool:
    """Return whether a decimal has more places than its contract keeps."""
    decimal = frames.polars().Decimal
    both = isinstance(got, decimal) and isinstance(want, decimal)
    return both and bool(got.scale > want.scale)
