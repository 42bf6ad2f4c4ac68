"""`python src/core/silver_example.py`: one asset, no Dagster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import told


@pytest.mark.parametrize("cwd", ["/", "src/core", "data"])
def test_the_samples_one_after_the_other(project: MakeProject, cwd: str) -> None:
    shop = project()
    rows = {"bronze_example": "1,212", "bronze_customers": "91", "silver_example": "1,148"}
    for stem, count in {**rows, "gold_example": "3"}.items():
        done = shop.core(stem, cwd=shop.root / cwd, cold=True)
        assert done.returncode == 0, told(done)
        first, path, *table = done.stdout.splitlines()
        assert re.match(rf"{stem} +{count} rows ", first)
        assert shop.root.joinpath(cwd, path).resolve() == shop.files(stem)[-1]
        assert table[0].startswith("┌")
        assert table[-1].startswith("└")
        assert done.stderr == ""


def test_what_has_never_run_goes_first(project: MakeProject) -> None:
    shop = project()
    done = shop.core("gold_example")
    assert done.returncode == 0, told(done)
    ran = [line.split()[0] for line in done.stdout.splitlines() if " rows " in line]
    assert set(ran[:2]) == {"bronze_customers", "bronze_example"}
    assert ran[2:] == ["silver_example", "gold_example"]
    shop.core("gold_example")
    assert [len(shop.files(stem)) for stem in ran] == [1, 1, 1, 2]


def test_as_a_module(project: MakeProject) -> None:
    done = project().python("-m", "core.bronze_customers")
    assert done.returncode == 0, told(done)


def test_a_direct_run_keeps_what_it_must_reject(project: MakeProject) -> None:
    done = project().core("silver_example", env={"MAX_REJECTED": "0.01"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.match(
        r"error: silver_example: 52 of 1,200 rows \(4.33 %\) break the contract, more than "
        r"MAX_REJECTED \(1 %\); nothing was published\n",
        done.stderr,
    )


def test_an_error_of_ones_own_shows_where_it_is(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", "def extract() -> pl.DataFrame:\n    return [][1]")
    done = shop.core("bronze_a")
    assert done.returncode == 1
    line = shop.line_of("bronze_a", "return [][1]")
    assert f'{Path("src/core/bronze_a.py")}", line {line}, in extract' in done.stderr
    assert done.stderr.rstrip().endswith("IndexError: list index out of range")


def test_data_can_be_read_in_a_notebook(project: MakeProject) -> None:
    shop = project()
    assert shop.core("gold_example").returncode == 0
    assert [row["segment"] for row in shop.rows("gold_example")] == [
        *("consumer", "business", "school"),
    ]
    done = shop.python("-c", 'from core.storage import read; read("gold_nothing")')
    assert "FileNotFoundError: gold_nothing has no data yet" in done.stderr
