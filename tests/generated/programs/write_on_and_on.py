"""Publish bronze_a again and again, until `stop` is there."""

from pathlib import Path

from polster_runtime.assets.binding import function_of
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.materialize import materialize

while not Path("stop").exists():
    materialize(function_of(AssetId("bronze", "a")))
