"""The runtime of Polster projects: what runs, checks, stores and schedules their assets.

A project holds this package in `src/polster_runtime` or depends on `polster-runtime`. Assets import
`run` from here, and the types of what they take and return; Dagster files import from
`orchestration.utils`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polster_runtime.assets.increments import Append, New, Own, Touched, Upsert
    from polster_runtime.sources.base import Frames, Position

__version__ = "0.2.0"
__all__ = ["Append", "Frames", "New", "Own", "Position", "Touched", "Upsert", "run"]


def run(function: Callable[..., Any]) -> None:
    """Run the asset of a core file from the command line, and show its result."""
    from polster_runtime.cli import run_asset  # importing an asset must not import the command

    run_asset.main(function)


def __getattr__(name: str) -> Any:
    """Import the types of `__all__` when they are asked for: a direct run needs few of them."""
    if name in __all__:
        from polster_runtime.assets import increments
        from polster_runtime.sources import base

        return getattr(increments, name, None) or getattr(base, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
