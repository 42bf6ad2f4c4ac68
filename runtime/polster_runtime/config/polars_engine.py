"""Which of Polars' engines computes assets: POLARS_ENGINE."""

from importlib.util import find_spec
from typing import Literal

import polars as pl

from polster_runtime.config.settings import settings
from polster_runtime.errors import SettingsError

Engine = Literal["auto", "in-memory", "streaming", "gpu"]
DISTRIBUTED = (
    "POLARS_ENGINE=distributed: a snapshot is written on the machine that runs the asset, and "
    "Polars' distributed engine writes on its own cluster alone; give the asset partitions, or "
    "spread assets over machines with EXECUTOR"
)
NO_GPU = (
    "POLARS_ENGINE=gpu: the package cudf-polars is not installed; python -m pip install "
    '"polars[gpu]" on a machine with an NVIDIA GPU, or choose streaming'
)


def polars_engine() -> Engine:
    """What computes; streaming where POLARS_ENGINE says auto.

    Raises SettingsError where the engine is not installed, or cannot write snapshots.
    """
    chosen = settings().polars_engine
    if chosen == "distributed":
        raise SettingsError(DISTRIBUTED)
    if chosen == "gpu" and find_spec("cudf_polars") is None:
        raise SettingsError(NO_GPU)
    return "streaming" if chosen == "auto" else chosen


def computed(frame: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a frame. Raises SettingsError, and what Polars raises."""
    return frame.collect(engine=polars_engine())
