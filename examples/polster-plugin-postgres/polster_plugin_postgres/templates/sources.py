"""Where the data comes from: one module a kind of source. They are yours to change."""

from polster_runtime import Frames, Position
from polster_runtime.errors import SourceError

__all__ = ["Frames", "Position", "SourceError"]
