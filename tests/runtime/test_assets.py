"""What the files of an asset say: parameters, dependencies, contracts, drift."""

from __future__ import annotations

from pathlib import Path

import dataframely as dy
import polars as pl
import pytest

from polster_runtime.assets.binding import asset_of, bind, declared_upstream, function_of
from polster_runtime.assets.contract import (
    Checked,
    Contract,
    check,
    contract_of,
    max_rejected,
    refuse,
    try_out,
)
from polster_runtime.assets.drift import drift
from polster_runtime.assets.rule_text import rule_in_words
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, ContractBroken, SettingsError
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage.registry import read
from tests.runtime.conftest import CoreFile

BRONZE_A, BRONZE_B = AssetId("bronze", "a"), AssetId("bronze", "b")
UNCHANGED = "def transform(df):\n    return df\n"


class Orders(dy.Schema):
    """A contract with a rule of each kind."""

    id = dy.Int64(primary_key=True)
    amount = dy.Decimal(12, 2, min=0)
    kind = dy.Enum(["a", "b"], nullable=True)

    @dy.rule()
    def small_ones_are_a(cls) -> pl.Expr:  # noqa: N805 - so dataframely has it
        """Hold below 10."""
        return (pl.col("amount") >= 10) | (pl.col("kind") == "a")


def test_a_function_knows_its_asset(core_file: CoreFile) -> None:
    module = core_file("silver_x", UNCHANGED)
    assert asset_of(module.transform) == AssetId("silver", "x")
    assert function_of(AssetId("silver", "x")) is module.transform


def test_the_only_parameter_may_have_any_name(core_file: CoreFile) -> None:
    assert bind(core_file("silver_x", UNCHANGED).transform, [BRONZE_A]) == {"df": BRONZE_A}


def test_several_go_by_name(core_file: CoreFile) -> None:
    function = core_file("silver_x", "def transform(b, a):\n    return a\n").transform
    assert bind(function, [BRONZE_A, BRONZE_B]) == {"a": BRONZE_A, "b": BRONZE_B}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("a, c", "transform(a, c) must take one parameter a dependency of silver_x: a, b"),
        ("", "transform() must take one parameter a dependency of silver_x: a, b"),
    ],
)
def test_parameters_that_do_not_match_are_a_sentence_with_a_line(
    core_file: CoreFile, parameters: str, message: str
) -> None:
    function = core_file("silver_x", f"def transform({parameters}):\n    return None\n").transform
    with pytest.raises(AssetError) as wrong:
        bind(function, [BRONZE_A, BRONZE_B])
    assert str(wrong.value).startswith(f"src/core/silver_x.py:4: {message}")


def test_dependencies_are_read_from_the_dagster_file(project: Path) -> None:
    file = project / "src/orchestration/assets/silver/run_silver_x.py"
    file.parent.mkdir(parents=True)
    file.write_text('@dg.asset(deps=["run_bronze_a", "run_bronze_b"])\ndef x(): ...\n', "utf-8")
    assert declared_upstream(AssetId("silver", "x")) == [BRONZE_A, BRONZE_B]


def split(tmp_path: Path, rows: pl.DataFrame, contract: Contract = Orders) -> Checked:
    """Check rows against a contract, as a run does."""
    file = tmp_path / "rows.parquet"
    rows.write_parquet(file)
    return check(pl.scan_parquet(file), rows.height, contract, tmp_path / "evaluated.parquet")


def rows(*of: tuple[int | None, str, str | None]) -> pl.DataFrame:
    """Return orders as a source has them: amounts are text."""
    return pl.DataFrame(of, schema=["id", "amount", "kind"], orient="row")


def test_rows_that_keep_the_contract_are_cast_and_pass(tmp_path: Path) -> None:
    found = split(tmp_path, rows((1, "1.50", "a"), (2, "12.00", "b")))
    assert found.good is not None
    assert found.rejected == 0
    assert found.good.collect().schema == Orders.create_empty().schema


def test_rows_that_break_it_keep_their_values_and_name_their_rules(tmp_path: Path) -> None:
    given = rows((1, "1.50", "a"), (2, "-3", "a"), (3, "x", "a"), (4, "4", "b"), (None, "1", "a"))
    found = split(tmp_path, given)
    assert found.good is not None
    assert found.good.collect()["id"].to_list() == [1]
    bad = {row["amount"]: row["_broken_rules"] for row in found.bad.collect().to_dicts()}
    assert bad == {
        "-3": ["amount|min"],
        "x": ["amount|dtype"],
        "4": ["small_ones_are_a"],
        "1": ["id|nullability"],
    }
    assert found.rejected == 4
    assert found.broken_rules["amount|dtype"] == 1


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="columns that are not there: amount, kind"):
        split(tmp_path, pl.DataFrame({"id": [1]}))


def test_too_many_are_refused_with_examples(tmp_path: Path) -> None:
    found = split(tmp_path, rows((1, "1.50", "a"), (2, "-3", "a")))
    refuse(2, found, 0.5, Orders)
    with pytest.raises(ContractBroken) as refused:
        refuse(2, found, 0.4, Orders)
    first, second = str(refused.value).splitlines()
    assert first == (
        "1 of 2 rows (50 %) break the contract, more than MAX_REJECTED (40 %); "
        "nothing was published"
    )
    assert second.split() == ["amount", ">=", "0", "1", "id", "2"]


def test_only_a_contract_is_one(core_file: CoreFile) -> None:
    with pytest.raises(AssetError, match="silver_x: Contract must be a class made from dy"):
        contract_of(core_file("silver_x", f"Contract = 7\n{UNCHANGED}").transform)
    assert contract_of(core_file("silver_y", UNCHANGED).transform) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no')", "the rule odd of the contract cannot be evaluated: ValueError"),
        ("return pl.col('nope') > 0", "the rule odd .of nope. of the contract cannot be evaluated"),
        ("return pl.col('id') + 1", "did not evaluate to a boolean"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_named(
    core_file: CoreFile, body: str, message: str
) -> None:
    text = (
        "class Contract(dy.Schema):\n    id = dy.Int64()\n\n"
        f"    @dy.rule()\n    def odd(cls):\n        {body}\n\n\n{UNCHANGED}"
    )
    contract = contract_of(core_file("silver_x", text).transform)
    assert contract
    with pytest.raises(AssetError, match=message):
        try_out(contract)


def test_how_much_may_be_rejected(core_file: CoreFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_REJECTED", "0.2")
    assert max_rejected(core_file("silver_x", UNCHANGED).transform) == 0.2
    assert max_rejected(core_file("silver_y", f"MAX_REJECTED = 0.3\n{UNCHANGED}").transform) == 0.3
    gold = core_file("gold_x", UNCHANGED.replace("transform", "aggregate"))
    assert max_rejected(gold.aggregate) == 0
    wrong = core_file("silver_z", f"MAX_REJECTED = '5 %'\n{UNCHANGED}").transform
    with pytest.raises(SettingsError, match="silver_z: MAX_REJECTED must be from 0 to 1, not '5"):
        max_rejected(wrong)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("primary_key", "id is unique"),
        ("amount|min", "amount >= 0"),
        ("amount|dtype", "amount is Decimal(precision=12, scale=2)"),
        ("kind|dtype", "kind is one of a, b"),
        ("id|nullability", "id is not null"),
        ("small_ones_are_a", "small ones are a"),
        ("gone|max_length", "gone max length"),
    ],
)
def test_rules_in_words(rule: str, words: str) -> None:
    assert rule_in_words(Orders, rule) == words


def test_drift_of_columns_and_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"id": "Int64"}
    assert not drift(None, same, [], 1)
    assert not drift(same, same, [100, 100], 1)  # two counts say nothing
    assert drift(same, same, [100, 90, 110], 49).usual_rows == 100
    monkeypatch.setenv("ROW_COUNT_TOLERANCE", "0.9")
    assert not drift(same, same, [100, 90, 110], 49)
    found = drift({"id": "Int64", "a": "String"}, {"id": "String", "b": "Date"}, [], 1)
    assert (found.added, found.removed) == ({"b": "Date"}, {"a": "String"})
    assert found.retyped == {"id": "Int64 -> String"}


GUARDED = """
MAX_REJECTED = 0.9

class Contract(dy.Schema):
    id = dy.Int64(min=1)

def transform():
    return pl.LazyFrame({"id": [0, 1, 2]})
"""


def test_what_is_published_is_parquet_once_the_contract_is_gone(core_file: CoreFile) -> None:
    """Where rows were rejected before, the next ones are staged as Arrow: never to be published."""
    module = core_file("silver_ids", GUARDED)
    for _ in range(2):
        assert materialize(module.transform, []).rejected == 1
        assert read("silver_ids").collect()["id"].to_list() == [1, 2]
    del module.Contract
    assert materialize(module.transform, []).rows == 3
    assert read("silver_ids").collect()["id"].to_list() == [0, 1, 2]
