"""How Dagster runs the assets: definitions, steps, schedules, history.

What a project's `orchestration` package imports is here; everything else is internal.
"""

import gc
import os
import warnings

import dagster as dg

# Automation sensors and code links are in beta; Dagster would say so on every command.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

# What stores the values of assets that name no IO manager, also those of merged definitions:
# frames of the layers become snapshots.
os.environ.setdefault("DAGSTER_DEFAULT_IO_MANAGER_MODULE", "polster_runtime.dagster.io_manager")
os.environ.setdefault("DAGSTER_DEFAULT_IO_MANAGER_ATTRIBUTE", "snapshots")

# Loading a project makes a million objects that all stay, and Python would look through them for
# garbage again and again: a fifth of the time.
gc.set_threshold(50_000, 20, 100)
