"""Runs of assets with a contract: what is published, put aside, said, and shown."""

from __future__ import annotations

import re
from argparse import Namespace

import pytest

from polster_runtime.cli import quarantine
from polster_runtime.config import paths
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, ContractBroken
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage.registry import store
from tests.runtime.conftest import CoreFile

CODE = """
MAX_REJECTED = 0.5
CALLS = []

class Contract(dy.Schema):
    id = dy.Int64()
    name = dy.String(nullable=True)
    price = dy.Float64(min=0)
    {rule}

def transform() -> pl.LazyFrame:
    rows = pl.LazyFrame({{"id": [1, 2, 3], "name": ["a", "b", "c"], "price": ["1", "-2", "3"]}})
    return rows{step}
"""
GROUPS = """
    @dy.rule()
    def alone(cls) -> pl.Expr:
        return pl.len().over("id") == 1
"""


def code(step: str = "", rule: str = "") -> str:
    """Return a silver asset that rejects one of three rows."""
    return CODE.format(step=step, rule=rule)


@pytest.mark.parametrize("rule", ["", GROUPS])
def test_rows_are_computed_once_and_nothing_is_left(core_file: CoreFile, rule: str) -> None:
    counted = ".map_batches(lambda rows: (CALLS.append(rows.height), rows)[1])"
    module = core_file("silver_x", code(counted, rule))
    for _ in range(2):
        module.CALLS.clear()
        done = materialize(module.transform, [])
        assert (done.rows, done.rejected, done.broken_rules) == (2, 1, {"price|min": 1})
    assert module.CALLS == [3], "the second run knows the lineage of the columns"
    snapshot = store().latest(AssetId("silver", "x"))
    assert snapshot is not None
    assert store().scan(snapshot).collect().rows() == [(1, "a", 1.0), (3, "c", 3.0)]
    assert list(paths.staging_dir().glob("*.*")) == []


def test_too_many_rejected_rows_are_put_aside_and_nothing_is_published(
    core_file: CoreFile,
) -> None:
    module = core_file("silver_x", code().replace("0.5", "0.1"))
    with pytest.raises(ContractBroken, match="1 of 3 rows"):
        materialize(module.transform, [])
    assert store().latest(AssetId("silver", "x")) is None
    assert len(store().rejected(AssetId("silver", "x"))) == 1
    assert list(paths.staging_dir().glob("*.*")) == []


UDF = '.with_columns(pl.col("name").map_elements(lambda x: 1 / 0, return_dtype=pl.String))'


@pytest.mark.parametrize(
    ("step", "rule", "said"),
    [
        ('.with_columns(pl.col("id").str.len_bytes())', "", "silver_x.py:14: SchemaError"),
        ('.with_columns(pl.col("name").cast(pl.Int64))', "", "silver_x.py:14: InvalidOperation"),
        (UDF, "", "division by zero"),
        ("", 'code = dy.String(regex="[")', "names columns that are not there: code"),
        ("", 'name = dy.String(nullable=True, regex="[")', "rule name.regex .of name. of the"),
        ("", "name = dy.List(dy.Int64())", "name is String, which cannot become List"),
    ],
)
def test_what_goes_wrong_in_one_pass_is_named(
    core_file: CoreFile, step: str, rule: str, said: str
) -> None:
    """A query that fails is run again, its rows apart from the rules; nothing stays behind."""
    module = core_file("silver_x", code(step, rule))
    with pytest.raises(Exception, match=said) as wrong:
        materialize(module.transform, [])
    assert isinstance(wrong.value, AssetError if step != UDF else ZeroDivisionError)
    assert store().latest(AssetId("silver", "x")) is None
    assert list(paths.staging_dir().glob("*.*")) == []


def test_d8_show_puts_the_broken_columns_first(
    core_file: CoreFile, capsys: pytest.CaptureFixture[str]
) -> None:
    module = core_file("silver_x", code())
    materialize(module.transform, [])
    wanted = Namespace(command="show", asset="x", rows=5, json=False)
    assert quarantine.main(wanted) == 0
    lines = capsys.readouterr().out.splitlines()
    (header,) = (line for line in lines if "_broken_rules" in line)
    assert re.findall(r"\w+", header) == ["_broken_rules", "price", "id", "name"]
