"""A backfill from Dagster's UI in Chromium, which the daemon runs; two days fail, and are repaired.

    python bench/backfills.py FOLDER --python RUNTIME [--days 365] [--chromium PATH]

Writes the project of partitions.py into the new FOLDER, and opens its UI. The days of bronze are
chosen in the dialog of its page; what the bar of partitions says is compared with the files. Then
`--missing` is run on the command line, and the bar is looked at once more.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import partitions
from playwright.sync_api import Page, expect, sync_playwright

ADDRESS = re.compile(r"Dagster UI: (http://127\.0\.0\.1:\d+)/")
MILLISECONDS = 600_000.0
BAD = """    if partition in {bad}:
        raise ValueError("a bad day")
"""


def main() -> None:
    """Fill bronze from the UI, repair it, and say how long that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--chromium", help="where Playwright does not find one")
    arguments = parser.parse_args()
    folder, days = arguments.folder.resolve(), arguments.days
    folder.mkdir()
    first, end = partitions.span(days)
    shop = partitions.write_shop(folder, 2_000, first, end)
    core = shop / "src/core/bronze_days.py"
    good = core.read_text("utf-8")
    head = "def extract(partition: str) -> pl.LazyFrame:\n"
    bad = BAD.format(bad=[str(first + timedelta(days=2)), str(end - timedelta(days=3))])
    core.write_text(good.replace(head, head + bad), encoding="utf-8")
    python = arguments.python.absolute()
    with _ui(shop, python) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(MILLISECONDS)
        began = time.perf_counter()
        _launch(page, f"{address}/assets/run_bronze_days")
        _look(page, address, shop, done=days - 2, failed=2)
        print(f"from the UI, by the daemon: {time.perf_counter() - began:.0f} s")
        core.write_text(good, encoding="utf-8")
        began = time.perf_counter()
        repair = [python, "run_polster.py", "--asset", "bronze_days", "--missing"]
        subprocess.run(repair, cwd=shop, check=True, env=_env(shop), stdout=subprocess.DEVNULL)
        _look(page, address, shop, done=days, failed=0)
        print(f"--missing: {time.perf_counter() - began:.0f} s")
        browser.close()


def _env(shop: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(shop / "src"),
        "AUTOMATION_ENABLED": "false",
        "SOURCE_RETRIES": "0",
    }


@contextmanager
def _ui(shop: Path, python: Path) -> Iterator[str]:
    """Start the UI and the daemon, and end them."""
    command = [python, "run_polster.py", "--ui", "--no-materialize"]
    process = subprocess.Popen(command, cwd=shop, env=_env(shop), stdout=subprocess.PIPE, text=True)
    try:
        found = next(filter(None, map(ADDRESS.search, process.stdout or ())), None)
        if found is None:
            sys.exit("the UI did not start")
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def _launch(page: Page, asset: str) -> None:
    """Choose all partitions in the dialog of an asset, and launch the backfill."""
    page.goto(asset)
    page.get_by_text(re.compile(r"^Materialize(…|\.\.\.)")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_have_count(0, timeout=MILLISECONDS)


def _look(page: Page, address: str, shop: Path, *, done: int, failed: int) -> None:
    """Wait until the bar says how many partitions there are, and compare the files."""
    page.goto(f"{address}/assets/run_bronze_days?view=partitions")
    for text in (f"Materialized ({done})", f"Failed ({failed})", "Materializing (0)"):
        expect(page.get_by_text(text, exact=True)).to_be_visible(timeout=MILLISECONDS)
    files = list((shop / "data/bronze/days").glob("partition=*/*.parquet"))
    if len(files) != done:
        sys.exit(f"there are {len(files)} files, and the bar says {done}")


if __name__ == "__main__":
    main()
