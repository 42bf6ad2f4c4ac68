"""`polster preview`: what a reader of an asset gets, as the project's own storage tells it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generated import guides
from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.generated.warm import Done


@pytest.fixture
def shop(project: MakeProject) -> Generated:
    """Return a project whose `.venv` has the Python that the tests share, and the project."""
    made = project()
    guides.stand_in(made.root / ".venv/bin", made)
    return made


def preview(shop: Generated, *args: str, columns: int = 100, cwd: Path | None = None) -> Done:
    return subprocess.run(
        [sys.executable, "-m", "polster_core", "preview", *args],
        cwd=cwd or shop.root,
        check=False,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": str(columns)},
    )


def shown(shop: Generated, *args: str, columns: int = 100) -> str:
    done = preview(shop, *args, columns=columns)
    assert (done.returncode, done.stderr) == (0, ""), told(done)
    return done.stdout


def test_rows_columns_and_snapshots(shop: Generated) -> None:
    assert shop.run().returncode == 0
    assert shop.run().returncode == 0

    text = shown(shop, "silver_example", "--rows", "3")
    head, path, blank, titles, first, *_ = text.splitlines()
    assert head.startswith("silver_example   1,148 rows   10 columns   ")
    assert head.endswith(" UTC")
    assert shop.root.joinpath(path) == shop.files("silver_example")[-1]
    assert blank == ""
    assert titles.split() == ["COLUMN", "TYPE", "NULLS", "DISTINCT", "MIN", "MAX"]
    assert first.split() == ["order_id", "Int64", "0", "1,148", "1", "1200"]
    assert "\nsegment      Enum            " in text
    assert "\namount       Decimal(12, 2)  " in text
    rows = [line for line in text.splitlines() if line.startswith("│")]
    assert len(rows) == 3 + 3  # names, dashes and types above three rows
    for columns in (40, 100, 300):
        table = shown(shop, "silver_example", columns=columns).split("\n\n")[-1]
        assert max(map(len, table.splitlines())) <= columns

    document = json.loads(shown(shop, "run_silver_example", "--json", "--rows", "2"))
    assert document["asset"] == "run_silver_example"
    assert document["rows"] == 1148
    assert len(document["preview"]) == 2
    assert document["preview"][0]["order_id"] == 1
    assert document["columns"][0] == {
        "name": "order_id",
        "type": "Int64",
        "nulls": 0,
        "distinct": 1148,
        "min": 1,
        "max": 1200,
    }
    shipped = next(one for one in document["columns"] if one["name"] == "shipped_at")
    assert shipped["nulls"] > 0

    history = json.loads(shown(shop, "silver_example", "--history", "--json"))["snapshots"]
    paths = [str(path.relative_to(shop.root)) for path in shop.files("silver_example")]
    assert [one["path"] for one in history] == paths[::-1]
    assert [(one["rows"], one["rejected"], one["files"]) for one in history] == [(1148, 52, 1)] * 2
    assert history[0]["size_bytes"] == shop.files("silver_example")[-1].stat().st_size
    titles, *lines = shown(shop, "silver_example", "--history").splitlines()
    assert titles.split() == ["WRITTEN", "ROWS", "REJECTED", "SIZE", "FILES", "PATH"]
    assert [line.split()[-1] for line in lines] == paths[::-1]


def test_what_is_not_there_is_said(shop: Generated) -> None:
    done = preview(shop, "silver_example")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: silver_example has no data yet\n"
        "hint: run it with  polster run --asset silver_example\n"
    )
    assert preview(shop, "silver_exampel").stderr == (
        "error: no asset is called silver_exampel. Did you mean silver_example?\n"
    )
    (shop.root / ".env").write_text("STORAGE_BACKEND=nowhere\n")
    done = preview(shop, "silver_example")
    assert done.returncode == 1
    assert done.stderr.startswith("error: silver_example: STORAGE_BACKEND=nowhere")
    shutil.rmtree(shop.root / ".venv")
    done = preview(shop, "silver_example", cwd=shop.root / "src")
    assert done.stderr == "error: there is no .venv\nhint: make one with  polster setup\n"


EMPTY = 'def extract() -> pl.DataFrame:\n    return pl.DataFrame(schema={"id": pl.Int64})\n'


def test_any_type_can_be_looked_at(shop: Generated) -> None:
    shop.place("bronze_types", "all_types")
    shop.add("bronze_empty", EMPTY)
    assert shop.run("--select", "bronze_types").returncode == 0
    assert shop.run("--select", "bronze_empty").returncode == 0
    found = {one["name"]: one for one in json.loads(shown(shop, "types", "--json"))["columns"]}
    assert found["tags"] == {
        "name": "tags",
        "type": "List(String)",
        "nulls": 1,
        "distinct": None,
        "min": None,
        "max": None,
    }
    assert (found["kind"]["min"], found["money"]["max"]) == ("x", "1.50")
    assert found["big"]["max"] == 2**64 - 1
    assert len(shown(shop, "types").splitlines()) > len(found)
    assert "bronze_empty   0 rows   1 column   " in shown(shop, "empty")


def test_a_reader_that_goes_away_is_no_error(shop: Generated) -> None:
    assert shop.run("--asset", "bronze_customers").returncode == 0
    command = f"{sys.executable} -m polster_core preview bronze_customers --rows 90 | head -1"
    done = subprocess.run(  # noqa: S602 - pipes are what shells are for
        command, shell=True, cwd=shop.root, check=False, capture_output=True, encoding="utf-8"
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
