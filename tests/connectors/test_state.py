"""Positions and increments: shown, changed, merged; whatever dies in between."""

from __future__ import annotations

import json

import pytest

from tests.connectors.conftest import MakeShop, Shop, succeed
from tests.connectors.programs import program, text_of
from tests.generated.warm import Done
from tests.quality.test_guides import with_environment


@pytest.fixture
def numbers(project: MakeShop) -> Shop:
    """Return a project with an incremental asset."""
    shop = project()
    shop.add("bronze_n", "")
    shop.write({"src/core/bronze_n.py": text_of("bronze_n")})
    return shop


def upto(shop: Shop, last: int, *args: str) -> str:
    """Let the source end at a number, run the asset, and return how many rows that brought."""
    (shop.root / "last.txt").write_text(str(last))
    return succeed(shop.python("src/core/bronze_n.py", *args)).stdout.split()[1]


def state(shop: Shop, *args: str) -> Done:
    """Run `polster state`."""
    return shop.polster("state", *args)


def test_a_position_is_shown_and_changed(numbers: Shop) -> None:
    shop = numbers
    with_environment(shop)
    assert state(shop, "show").stdout == "no asset has a position yet\n"
    assert state(shop, "show", "n").stderr == (
        "error: bronze_n has no data yet: its first run reads everything\n"
    )
    assert state(shop, "show", "m").stderr == "error: no asset is called m\n"
    assert state(shop, "set", "n").returncode == 2
    assert state(shop, "set", "n", "5").stderr == "error: bronze_n has no data yet: run it first\n"
    assert (upto(shop, 10), upto(shop, 15)) == ("10", "5")
    shown = succeed(state(shop, "show")).stdout.split()
    assert shown[:5] == ["bronze_n", "15", "rows", "1", "increments"]
    assert shown[-1] == "15"
    (found,) = json.loads(succeed(state(shop, "show", "run_bronze_n", "--json")).stdout)["state"]
    assert found["position"] == {"value": 15, "seen": []}
    assert (found["rows"], found["increments"], found["files"]) == (15, 1, 2)
    before = shop.files("bronze_n")
    tried = succeed(state(shop, "set", "n", "12", "--dry-run"))
    assert tried.stdout == "bronze_n: 15 -> 12\nnothing was changed (--dry-run)\n"
    assert shop.files("bronze_n") == before
    changed = json.loads(succeed(state(shop, "set", "n", "12", "--json")).stdout)
    assert changed == {
        "asset": "bronze_n",
        "before": {"value": 15, "seen": []},
        "after": 12,
        "dry_run": False,
    }
    assert upto(shop, 15) == "3"
    assert sorted(row["id"] for row in shop.rows("bronze_n")) == [*range(1, 14), 13, 14, 14, 15, 15]


def test_a_reset_and_a_full_refresh_read_everything(numbers: Shop) -> None:
    shop = numbers
    assert (upto(shop, 10), upto(shop, 15)) == ("10", "5")
    reset = succeed(shop.python("-m", "polster_runtime", "state", "reset", "n"))
    assert reset.stdout == "bronze_n: 15 -> none: the next run reads everything\n"
    assert len(shop.rows("bronze_n")) == 15
    assert upto(shop, 16) == "16"
    assert upto(shop, 17, "--full-refresh") == "17"
    found = shop.json("--asset", "n", "--full-refresh")
    assert found["assets"][0]["rows"] == 17
    assert sorted(row["id"] for row in shop.rows("bronze_n")) == list(range(1, 18))


def test_increments_are_merged(numbers: Shop) -> None:
    """Every row is there once after each run; files stay few. Four are merged here, not sixteen."""
    shop = numbers
    upto(shop, 50_000)
    # The full file, one of 16 increments, one of 4, and what came after it.
    assert shop.document(program("grow"), "50000", "22", "3") == [1 + 1 + 1 + 2, 24, 1]
    full = max(shop.files("bronze_n"), key=lambda file: file.stat().st_size)
    assert "." not in full.stem
    # Once the increments weigh more than the full file, they become one, in the same place.
    files, held, snapshots = shop.document(program("grow"), "50066", "3", "50000")
    assert (files, held, snapshots) == (2, 31, 1)


def test_what_was_merged_goes_after_a_day(numbers: Shop) -> None:
    shop = numbers
    upto(shop, 50_000)
    assert shop.document(program("grow"), "50000", "21", "3", "0") == [1 + 1 + 1 + 1, 0, 1]
    assert len(shop.files("bronze_n")) == 4


@pytest.mark.parametrize("moment", ["before", "after"])
def test_sudden_death_while_merging(numbers: Shop, moment: str) -> None:
    shop = numbers
    upto(shop, 300_000)
    assert shop.document(program("grow"), "300000", "3", "1") == [4, 0, 1]
    assert shop.python(program("die_while_merging"), moment, "300004").returncode == 9
    found = shop.document(program("ids"), "bronze_n")["bronze_n"]
    assert (len(found), len(set(found))) == (300_004, 300_004)
    assert shop.position("bronze_n")["value"] == 300_004
    assert shop.document(program("grow"), "300004", "4", "1")[0] == 3
    assert shop.document(program("grow"), "300008", "1", "1")[0] == 4
