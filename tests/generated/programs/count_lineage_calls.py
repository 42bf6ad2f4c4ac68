"""Run silver_example, and print how often its column lineage was worked out."""

from unittest import mock

from polster_runtime.assets.binding import function_of
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution import column_lineage
from polster_runtime.execution.materialize import materialize

ask = column_lineage._asked
with mock.patch.object(column_lineage, "_asked", side_effect=ask) as asked:
    materialize(function_of(AssetId("silver", "example")))
print(asked.call_count)
