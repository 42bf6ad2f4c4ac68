"""What bronze assets yield, and how sources report what goes wrong."""

from collections.abc import Generator
from typing import Any

import polars as pl

from polster_runtime.errors import NoData, SourceError

__all__ = ["Frames", "NoData", "Position", "SourceError"]

Position = Any
"""Where a source was left off: whatever JSON can hold. None: nowhere yet, so read all of it."""
Frames = Generator[pl.DataFrame | pl.LazyFrame, None, Position]
"""What an incremental function yields, and the position that it returns."""
