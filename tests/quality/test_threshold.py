"""Too many bad rows: nothing is published; fix the rule, replay, and everything is there once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.generated.conftest import MakeProject, maker
from tests.generated.projects import Generated, copy, told

SILVER = "src/core/silver_example.py"
FLAWED = [71, 154, 340]
"""The first orders of the samples with a quantity of zero."""
MESSAGE = """\
52 of 1,200 rows (4.33 %) break the contract, more than MAX_REJECTED (1 %); nothing was published
  customer is known                  11   order_id 83, 237, 368 …
  shipped after it was ordered       18   order_id 11, 93, 203 …
  customer_id is not null             6   order_id 83, 618, 624 …
  quantity >= 1                      14   order_id 71, 154, 340 …
  amount >= 0                         9   order_id 124, 171, 362 …"""
REPLAY = ("quarantine", "replay", "silver_example")
STRICT = {"MAX_REJECTED": "0.01"}


def quarantine(shop: Generated, *args: str, code: int = 0) -> str:
    """Return what `python -m polster_runtime quarantine` says, on whatever stream."""
    done = shop.python("-m", "polster_runtime", "quarantine", *args, env=STRICT)
    assert done.returncode == code, told(done)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def refused_once(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Generated:
    """Return a project whose silver asset was refused; it has no data yet."""
    shop = maker(tmp_path_factory.mktemp("refused"), runtime, templates)()
    assert shop.run(env=STRICT).returncode == 1
    return shop


@pytest.fixture
def refused(refused_once: Generated, tmp_path: Path) -> Generated:
    """Return a copy of that project."""
    return replace(refused_once, root=copy(refused_once.root, tmp_path / "shop"))


def relax(shop: Generated) -> None:
    """Let the contract take what it rejected: all but the unknown customers."""
    file = shop.root / SILVER
    text = file.read_text("utf-8")
    for before, after in {
        "quantity = dy.Int64(nullable=False, min=1)": "quantity = dy.Int64(nullable=False)",
        "amount = dy.Decimal(12, 2, nullable=False, min=0)": "amount = dy.Decimal(12, 2)",
        'pl.col("shipped_at").is_null() |': "True |",
    }.items():
        assert before in text
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")


def ids(shop: Generated) -> Counter[int]:
    """Return how often each order is in silver or among what its last run rejected."""
    listed = json.loads(quarantine(shop, "show", "silver_example", "--rows", "9999", "--json"))
    rows = [*shop.rows("silver_example"), *listed["sample"]]
    return Counter(row["order_id"] for row in rows)


def test_nothing_is_published_and_the_message_says_why(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    before = shop.files("silver_example"), shop.files("gold_example")
    done = shop.run(env=STRICT)
    assert done.returncode == 1
    assert done.stderr.strip() == f"error: silver_example: {MESSAGE}"
    assert "gold_example                      skipped   silver_example failed" in done.stdout
    assert (shop.files("silver_example"), shop.files("gold_example")) == before
    assert shop.staged() == []
    listed = json.loads(quarantine(shop, "list", "--json"))["quarantine"]
    assert [(one["asset"], one["rows"], one["published"]) for one in listed] == [
        ("silver_example", 52, False)
    ]


def test_an_asset_has_its_own_threshold(refused: Generated) -> None:
    file = refused.root / SILVER
    text = file.read_text("utf-8").replace(
        "def transform(", "MAX_REJECTED = 0.05\n\n\ndef transform("
    )
    file.write_text(text, encoding="utf-8")
    done = refused.run(env=STRICT)
    assert done.returncode == 0, told(done)


def test_after_the_rule_is_mended_everything_is_there_once(refused: Generated) -> None:
    shop = refused
    relax(shop)
    assert shop.files("silver_example") == []
    said = quarantine(shop, "replay", "silver_example")
    assert said.startswith("silver_example                 1,189 rows     11 rejected")
    assert said.splitlines()[0].endswith("customer is known 11 · customer_id is not null 6")
    assert ids(shop) == Counter(range(1, 1201))
    first = shop.rows("silver_example")
    assert shop.state("silver_example") == "fresh"
    assert shop.program("replayed_event").stdout == "replayed 1189 SUCCEEDED\n"

    quarantine(shop, "replay", "silver_example")  # once more changes nothing
    assert shop.rows("silver_example") == first
    assert ids(shop) == Counter(range(1, 1201))
    assert shop.run("--asset", "gold_example").returncode == 0
    assert sum(row["orders"] for row in shop.rows("gold_example")) == 1189


@pytest.mark.parametrize("survived", [0, 1])
def test_a_replay_that_is_killed_can_be_done_again(refused: Generated, survived: int) -> None:
    """Killed before the rejected rows are stored, or between these and the good ones."""
    relax(refused)
    died = refused.program("die_while_replaying", str(survived), *REPLAY, env=STRICT)
    assert died.returncode == 9, told(died)
    assert refused.files("silver_example") == []
    quarantine(refused, "replay", "silver_example")
    assert ids(refused) == Counter(range(1, 1201))


def test_a_project_that_was_moved_is_replayed(refused: Generated) -> None:
    relax(refused)
    moved = replace(refused, root=refused.root.rename(refused.root.with_name("elsewhere")))
    quarantine(moved, "replay", "silver_example")
    assert ids(moved) == Counter(range(1, 1201))


def test_what_a_later_run_settled_is_not_replayed(refused: Generated) -> None:
    relax(refused)
    file = refused.root / "src/core/bronze_example.py"
    text = file.read_text("utf-8").replace("[198, 1, 1]", "[200, 0, 0]")
    file.write_text(text, encoding="utf-8")
    assert refused.run().returncode == 0
    files = refused.files("silver_example")
    assert quarantine(refused, "list") == "no asset rejected anything in its last run\n"
    said = quarantine(refused, "replay", "silver_example", code=1)
    assert said == "error: silver_example: the last run rejected nothing\n"
    assert refused.files("silver_example") == files


def test_a_replay_of_what_is_gone_says_so(refused: Generated) -> None:
    for file in refused.files("bronze_customers"):
        file.unlink()
    said = quarantine(refused, "replay", "silver_example", code=1)
    assert "is gone: run silver_example on what there is today" in said


def test_what_an_older_contract_rejected_can_still_be_seen(refused: Generated) -> None:
    file = refused.root / SILVER
    text = file.read_text("utf-8").replace("min=1", "").replace("customer_is_known", "known")
    text = text.replace("    amount = dy.Decimal(12, 2, nullable=False, min=0)\n", "")
    file.write_text(text, encoding="utf-8")
    said = quarantine(refused, "show", "silver_example", "--rows", "3")
    for rule in ("customer is known", "quantity min", "amount min", "customer_id is not null"):
        assert f"\n  {rule} " in said


def test_a_contract_must_be_mended_before_its_rows_are_replayed(refused: Generated) -> None:
    said = quarantine(refused, "replay", "silver_example", code=1)
    assert said == f"error: {MESSAGE}\n"
    assert refused.files("silver_example") == []
