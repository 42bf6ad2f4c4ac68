"""Where an asset's own code went wrong, also when Polars finds out later."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import polars as pl
import pytest

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.code_errors import BEFORE_A_RUN, explained, line_of_query
from tests.runtime.conftest import CoreFile

ORDERS = AssetId("bronze", "orders")
SCHEMA = pl.Schema({"id": pl.Int64(), "name": pl.String()})
WRONG = {
    "select": "return df.select('nmae')  # here",
    "chain": "return (\n    df.filter(pl.col('id') > 1)\n    .select(pl.col('nmae'))  # here\n"
    "    .head(3)\n)",
    "before": "kept = df.drop('nmae')  # here\nreturn kept.head(1)",
    "groups": "return df.group_by('id').agg(pl.col('nmae').max())  # here",
    "after groups": "found = df.group_by('id').agg(pl.len())\nreturn found.select('nmae')  # here",
    "join": "return df.join(df.select('id'), on='nmae')  # here",
    "sorted": "return df.sort('nmae')  # here",
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_r10_the_line_that_wrote_the_step_is_named(body: str, core_file: CoreFile) -> None:
    module = core_file("silver_orders", f"def transform(df):\n{indent(body, '    ')}\n")
    rows = pl.LazyFrame({"id": [1, 2], "name": ["a", "b"]}, schema=SCHEMA)
    with pytest.raises(pl.exceptions.PolarsError) as caught:
        module.transform(rows).collect()
    found = line_of_query(caught.value, module.transform, {"df": ORDERS}, {ORDERS: SCHEMA})
    lines = Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()
    assert "# here" in lines[found - 1]
    text = explained(caught.value, module.transform, found)
    assert text.startswith(f"src/core/silver_orders.py:{found}: ColumnNotFoundError: ")
    assert text.endswith(BEFORE_A_RUN)
    assert "\n" not in text


def test_an_error_of_the_rows_names_the_function(core_file: CoreFile) -> None:
    module = core_file(
        "silver_orders", "def transform(df):\n    return df.select(pl.col('name').cast(pl.Int64))\n"
    )
    with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
        module.transform(pl.LazyFrame({"id": [1], "name": ["a"]}, schema=SCHEMA)).collect()
    found = line_of_query(caught.value, module.transform, {"df": ORDERS}, {ORDERS: SCHEMA})
    assert found == module.transform.__code__.co_firstlineno
    assert BEFORE_A_RUN not in explained(caught.value, module.transform, found)
