"""For each of Polster's own rules, files that break it; `None` is a file that is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.handmade import PYPROJECT, shop
from tests.project.test_broken import BREAKS, SHOP, Break

Files = Mapping[str, str | None]


def _examples() -> Iterator[tuple[str, Files]]:
    for way in BREAKS:
        for line in way.found if "COPY" not in way.edits.values() else ():
            yield line.partition(" ")[0], _files(way)


def _files(way: Break) -> Files:
    whole = {"pyproject.toml": PYPROJECT, **shop(SHOP)}
    return {
        path: whole[path].replace(*edit) if isinstance(edit, tuple) else edit
        for path, edit in way.edits.items()
    }


def _of_the_runtime() -> Iterator[tuple[str, Files]]:
    """Yield what the runtime refuses as well, each tried in full elsewhere."""
    files = {"pyproject.toml": PYPROJECT, **shop(SHOP)}
    path = "src/core/silver_people.py"
    text = files[path].replace("import run", "import New, run")
    yield "increments", {path: text.replace("customers: pl.LazyFrame", "customers: New")}
    path = "src/orchestration/assets/bronze/run_bronze_orders.py"
    days = 'group_name="bronze",\n    partitions_def=dg.DailyPartitionsDefinition("2026-01-01"),'
    yield "partitions", {path: files[path].replace('group_name="bronze",', days)}
    path = "src/orchestration/assets/bronze/run_bronze_orders.py"
    other = 'group_name="bronze",\n    deps=[dg.AssetKey(["crm", "run_silver_orders"])],'
    yield "other-project", {path: files[path].replace('group_name="bronze",', other)}
    yield "key-prefix", {"pyproject.toml": f'{PYPROJECT}key-prefix = "gold"\n'}


BROKEN: Mapping[str, Files] = dict(reversed([*_examples(), *_of_the_runtime()]))
"""The first example of each rule."""
