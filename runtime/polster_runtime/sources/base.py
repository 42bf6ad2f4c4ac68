"""What bronze assets yield, and how sources report what goes wrong."""

from collections.abc import Generator
from typing import Any

import polars as pl

from polster_runtime.config.interruption import sleep, stop_if_interrupted
from polster_runtime.errors import NoData, SourceError

__all__ = ["Frames", "NoData", "Position", "SourceError", "sleep", "stop_if_interrupted"]

Position = Any
"""How far a source was read: whatever JSON can hold. None: not at all, so read all of it."""
Frames = Generator[pl.DataFrame | pl.LazyFrame, None, Position]
"""What an incremental function yields, and the position that it returns."""
