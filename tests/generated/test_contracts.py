"""Contracts in a running project: rows that break one are told apart, counted, kept, held back."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told

BRONZE = """
from random import Random

def extract() -> pl.DataFrame:
    '''Two thousand rows, of which about one in fifty is wrong in one way or another.'''
    dice = Random(3)
    pick = lambda good, bad: good if dice.random() > 0.008 else bad
    return pl.DataFrame(
        {
            "id": [pick(number, number - 1) for number in range(2_000)],
            "amount": [pick(number % 90, -1) for number in range(2_000)],
            "email": [pick(f"a{number}@b.com", None) for number in range(2_000)],
        }
    )
"""
SILVER = """
class Contract(dy.Schema):
    id = dy.Int64(primary_key=True)
    amount = dy.Int64(nullable=False, min=0)
    email = dy.String(nullable=False)

def transform(df: pl.LazyFrame) -> pl.LazyFrame:
    return df
"""
GOLD = """
class Contract(dy.Schema):
    rows = dy.UInt32(nullable=False, max=MOST)

def aggregate(df: pl.LazyFrame) -> pl.LazyFrame:
    return df.select(rows=pl.len())
"""
REJECTED = """
import json
import polars as pl
print(pl.read_parquet("data/silver/a/_rejected/*.parquet").write_json())
"""
KEY = ("id", "amount", "email")


@pytest.fixture
def guarded(project: MakeProject) -> Generated:
    """Return a project with a contract on silver and one on gold."""
    shop = project(samples=False)
    shop.add("bronze_a", BRONZE)
    shop.add("silver_a", SILVER, ["bronze_a"])
    shop.add("gold_a", GOLD.replace("MOST", "5_000"), ["silver_a"])
    return shop


def breaks(row: dict[str, object], doubled: set[object]) -> bool:
    """Say whether a row breaks the contract: the same rules, told independently."""
    amount = row["amount"]
    assert isinstance(amount, int)
    return row["id"] in doubled or amount < 0 or row["email"] is None


def test_good_and_bad_rows_are_all_rows(guarded: Generated) -> None:
    shop = guarded
    outcome = {one["key"]: one for one in shop.json()["assets"]}
    bronze, good = shop.rows("bronze_a"), shop.rows("silver_a")
    done = shop.python("-c", REJECTED)
    bad = json.loads(done.stdout)
    counted = Counter(row["id"] for row in bronze)
    doubled = {number for number, times in counted.items() if times > 1}
    expected = [row for row in bronze if breaks(row, doubled)]
    as_key = [tuple(row[name] for name in KEY) for row in bad]
    assert sorted(as_key, key=str) == sorted((tuple(row.values()) for row in expected), key=str)
    assert len(good) + len(bad) == len(bronze) == 2_000
    assert outcome["run_silver_a"]["rows"] == len(good)
    assert outcome["run_silver_a"]["rejected"] == len(bad) > 20
    run_id = {row["_run"] for row in bad}
    assert len(run_id) == 1
    assert all(row["_rejected_at"] and row["_broken_rules"] for row in bad)
    rules = {rule for row in bad for rule in row["_broken_rules"]}
    assert rules == {"primary_key", "amount|min", "email|nullability"}


def test_too_many_bad_rows_publish_nothing_and_block_what_follows(guarded: Generated) -> None:
    shop = guarded
    assert shop.run().returncode == 0
    before = [shop.files(stem) for stem in ("silver_a", "gold_a")]
    document = shop.json(code=1, env={"MAX_REJECTED": "0.001"})
    found = {one["key"]: (one["status"], one["error"]) for one in document["assets"]}
    assert found["run_gold_a"] == ("skipped", "silver_a failed")
    status, error = found["run_silver_a"]
    assert status == "failed"
    assert "break the contract, more than MAX_REJECTED (0.1 %); nothing was published" in error
    assert "amount >= 0" in error
    assert [shop.files(stem) for stem in ("silver_a", "gold_a")] == before
    assert len(list((shop.root / "data/silver/a/_rejected").glob("*.parquet"))) == 2
    assert shop.state("silver_a") == "failed"


def test_the_threshold_itself_is_allowed(guarded: Generated) -> None:
    rejected = guarded.json()["assets"][1]["rejected"]
    share = rejected / 2_000
    assert guarded.run(env={"MAX_REJECTED": f"{share}"}).returncode == 0
    assert guarded.run(env={"MAX_REJECTED": f"{share - 0.0001}"}).returncode == 1


def test_gold_allows_no_broken_row(guarded: Generated) -> None:
    guarded.add("gold_a", GOLD.replace("MOST", "3"), ["silver_a"])
    done = guarded.run()
    assert done.returncode == 1
    assert "error: gold_a: 1 of 1 rows (100 %) break the contract" in done.stderr, told(done)
    assert guarded.files("gold_a") == []


def test_a_column_that_is_missing_is_one_line(guarded: Generated) -> None:
    guarded.add(
        "silver_a", SILVER.replace("return df", "return df.drop('email', 'id')"), ["bronze_a"]
    )
    done = guarded.run()
    assert done.returncode == 1
    expected = "error: silver_a: the contract names columns that are not there: id, email\n"
    assert done.stderr.lstrip() == expected
