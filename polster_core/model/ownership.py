"""Who owns a generated file, the team or Polster: it decides what an upgrade may do to it."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from pathlib import PurePosixPath

from polster_core.model import layout
from polster_core.model.layers import Layer

RUNTIME = PurePosixPath("src/polster_runtime")
"""Where a project has the runtime package, unless that is a dependency."""
_LAYERS = "|".join(Layer)


class Owner(StrEnum):
    """Who changes a file after it was generated."""

    TEAM = "team"
    """Assets, their tests, data and `.env`: upgrades never touch them, and nothing is recorded."""
    SHARED = "shared"
    """All other files: the team edits them, and upgrades merge."""
    POLSTER = "polster"
    """The vendored runtime: nobody edits it, and upgrades replace it."""


def owner_of(path: PurePosixPath) -> Owner:
    """Return the owner of a generated file, by its path in the project."""
    if _team(layout.current()).fullmatch(str(path)):
        return Owner.TEAM
    return Owner.POLSTER if path.is_relative_to(RUNTIME) else Owner.SHARED


@cache
def _team(places: layout.Layout) -> re.Pattern[str]:
    return re.compile(
        rf"\.env|data/.*|{places.core}/(?:{_LAYERS})_\w+\.py|{places.assets}/.*"
        rf"|{places.assets.parent}/partitions\.py"
        rf"|{places.tests}/test_(?:{_LAYERS})_\w+\.py"
    )


__all__ = ["RUNTIME", "Owner", "owner_of"]
