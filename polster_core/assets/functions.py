"""Assets that are @asset functions: their names and code are the team's to change."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.errors import PolsterError
from polster_core.model.pipeline import Asset


def refuse_functions(assets: Iterable[Asset], what: str) -> None:
    """Raise PolsterError for an asset that is an @asset function without a core file."""
    for asset in assets:
        if asset.is_function:
            raise PolsterError(
                f"{asset.definitions[0].place}: {asset} is an @asset function, which Polster does "
                f"not {what}",
                hint=f"{what} it there by hand; polster validate names what still needs it",
            )
