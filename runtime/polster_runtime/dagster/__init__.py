"""How Dagster runs the assets: definitions, steps, schedules, history.

What a project's `orchestration` package imports is here; everything else is internal.
"""

import warnings

import dagster as dg

# Automation sensors and code links are in beta; Dagster would say so on every command.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
