"""Print the modules of Dagster that importing assets and their runner brings in."""

import importlib
import sys

for name in (
    "polster_runtime.cli.run_asset",
    "core.gold_example",
    "core.silver_example",
    "core.storage",
):
    importlib.import_module(name)
print([name for name in sys.modules if name.startswith(("dagster", "orchestration"))])
