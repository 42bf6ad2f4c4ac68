"""Whatever comes: good rows + rejected rows = input, and each rejected row names what it broke."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generated.conftest import maker
from tests.generated.projects import PROGRAMS, Generated

Row = dict[str, Any]
Answer = dict[str, Any]


NUMBERS = st.sampled_from(["0", "1", "2", "3", "7", "-1", "100", "101", "x", "", None])
FRAMES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["1", "2", "3", "4", "5", "6", "x", None]),
            "amount": NUMBERS,
            "kind": st.sampled_from(["a", "b", "c", None]),
            "low": st.integers(0, 3) | st.none(),
            "high": st.integers(0, 3) | st.none(),
        }
    ),
    max_size=12,
)


def expected(rows: Sequence[Row]) -> dict[int, set[str]]:
    """Return the rules that each row breaks, as one reads the contract."""
    keys = Counter(row["id"] if _is_number(row["id"]) else None for row in rows)
    return {row["n"]: _broken(row, keys) for row in rows}


def _broken(row: Row, keys: Counter[str | None]) -> set[str]:
    types = {
        f"{name}|dtype": row[name] is None or _is_number(row[name]) for name in ("id", "amount")
    }
    types["kind|dtype"] = row["kind"] != "c"
    if not all(types.values()):  # what is of the wrong type cannot be asked anything else
        return {rule for rule, kept in types.items() if not kept}
    amount = None if row["amount"] is None else float(row["amount"])
    rules = {
        "primary_key": keys[row["id"]] == 1,
        "id|nullability": row["id"] is not None,
        "amount|nullability": amount is not None,
        "amount|min": amount is None or amount >= 0,
        "amount|max": amount is None or amount <= 100,
        "low_is_below_high": None in (row["low"], row["high"]) or row["low"] <= row["high"],
    }
    return {rule for rule, kept in rules.items() if not kept}


def _is_number(text: str | None) -> bool:
    return text is not None and text.lstrip("-").isdigit()


@contextmanager
def server(shop: Generated) -> Iterator[Callable[[Sequence[Row]], Answer]]:
    """Run frames through a project, all in one process."""
    process = subprocess.Popen(
        [shop.interpreter, PROGRAMS / "random_frames.py"],
        cwd=shop.root,
        env=shop.variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with process as running:

        def ask(rows: Sequence[Row]) -> Answer:
            assert running.stdin
            assert running.stdout
            running.stdin.write(json.dumps(rows) + "\n")
            running.stdin.flush()
            answer: Answer = json.loads(running.stdout.readline())
            return answer

        yield ask
        assert running.stdin
        running.stdin.close()
    assert process.returncode == 0


@pytest.fixture(scope="module")
def ask(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Any
) -> Iterator[Callable[[Sequence[Row]], Answer]]:
    shop = maker(tmp_path_factory.mktemp("random"), runtime, templates)(samples=False)
    shop.add("bronze_x", "def extract() -> pl.DataFrame: ...")
    shop.place("silver_x", "strict_silver", ["bronze_x"])
    with server(shop) as asked:
        yield asked


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=FRAMES)
def test_good_and_rejected_rows_are_the_input(
    ask: Callable[[Sequence[Row]], Answer], rows: list[Row]
) -> None:
    rows = [{"n": n, **row} for n, row in enumerate(rows)]
    answer = ask(rows)
    broken = expected(rows)
    bad = {row["n"]: set(row["_broken_rules"]) for row in answer["bad"]}
    assert bad == {n: rules for n, rules in broken.items() if rules}
    assert answer["good"] == [n for n, rules in broken.items() if not rules]
    assert answer["rows"] + answer["rejected"] == len(rows)
    came = {row["n"]: row for row in rows}
    for row in answer["bad"]:
        assert {name: row[name] for name in came[row["n"]]} == came[row["n"]]
