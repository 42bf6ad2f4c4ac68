"""365 days of three assets: filled from the command line, and from Dagster's UI by the daemon.

    python bench/backfills.py FOLDER --python RUNTIME [--days 365] [--chromium PATH]

Writes the project of partitions.py into the new FOLDER. Two days of bronze fail, and are repaired
with `--missing` on the command line. From the UI, all days of all assets are chosen in the dialog
of the lineage; what the bars of partitions say is compared with the files. Runs that the daemon
starts outlive it, so that their seconds of a processor are not known: they are those of the command
line.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
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
CORE = "src/core/bronze_days.py"
HEAD = "def extract(partition: str) -> pl.LazyFrame:\n"
ASSETS = ("bronze_days", "silver_days", "gold_shops")
BAD = """    if partition in {bad}:
        raise ValueError("a bad day")
"""


def main() -> None:
    """Fill all from the command line and from the UI, repair it, and say how long that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--chromium", help="where Playwright does not find one")
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    folder.mkdir()
    first, end = partitions.span(arguments.days)
    shop = partitions.write_shop(folder, 2_000, first, end)
    core = shop / CORE
    bad = BAD.format(bad=[str(first + timedelta(days=2)), str(end - timedelta(days=3))])
    good = core.read_text("utf-8")
    core.write_text(good.replace(HEAD, HEAD + bad), encoding="utf-8")
    other = shutil.copytree(shop, folder / "other")
    print(f"{'':<36}{'seconds':>9}{'CPU':>9}", flush=True)
    _run(other, python, "command line, two bad days", "--partition", "..", code=1)
    _count(other, bronze=arguments.days - 2, silver=0, gold=0)
    (other / CORE).write_text(good, encoding="utf-8")
    _run(other, python, "--missing", "--missing")
    _count(other, bronze=arguments.days, silver=arguments.days, gold=arguments.days)
    _run(other, python, "command line, all once more", "--partition", "..")
    with _ui(shop, python) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(MILLISECONDS)
        began = time.perf_counter()
        _launch(page, f"{address}/asset-groups")
        _look(page, address, "bronze_days", arguments.days - 2, failed=2)
        _count(shop, bronze=arguments.days - 2, silver=0, gold=0)
        _told("from the UI, two bad days", time.perf_counter() - began)
        core.write_text(good, encoding="utf-8")
        _run(shop, python, "--missing", "--missing")
        for asset in ASSETS:
            _look(page, address, asset, arguments.days)
        _count(shop, bronze=arguments.days, silver=arguments.days, gold=arguments.days)
        began = time.perf_counter()
        _launch(page, f"{address}/asset-groups")
        _look_again(page, address, shop, arguments.days)
        _told("from the UI, all once more", time.perf_counter() - began)
        browser.close()


def _told(what: str, seconds: float, cpu: float | None = None) -> None:
    print(f"{what:<36}{seconds:>9.1f}" + (f"{cpu:>9.1f}" if cpu else ""), flush=True)


def _run(shop: Path, python: Path, what: str, *options: str, code: int = 0) -> None:
    """Run a command, and say what it took."""
    began = time.perf_counter()
    command: list[str | Path] = [python, "run_polster.py", *options]
    process = subprocess.Popen(command, cwd=shop, env=_env(shop), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        sys.exit(f"{what} ended with {process.returncode}")
    _told(what, time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


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
    command: list[str | Path] = [python, "run_polster.py", "--ui", "--no-materialize"]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=shop, env=_env(shop), stdout=subprocess.PIPE, text=True)
    try:
        found = next(filter(None, map(ADDRESS.search, process.stdout or ())), None)
        if found is None:
            sys.exit("the UI did not start")
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        _told(
            "the UI and the daemon, without runs",
            time.perf_counter() - began,
            usage.ru_utime + usage.ru_stime,
        )


def _launch(page: Page, lineage: str) -> None:
    """Choose all partitions of all assets in the dialog of the lineage, and launch the backfill."""
    page.goto(lineage)
    page.get_by_text(re.compile(r"^Materialize all(…|\.\.\.)")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_have_count(0, timeout=MILLISECONDS)


def _look(page: Page, address: str, asset: str, done: int, *, failed: int = 0) -> None:
    """Wait until the bar of an asset says how many partitions there are."""
    page.goto(f"{address}/assets/run_{asset}?view=partitions")
    for text in (f"Materialized ({done})", f"Failed ({failed})", "Materializing (0)"):
        expect(page.get_by_text(text, exact=True)).to_be_visible(timeout=MILLISECONDS)


def _look_again(page: Page, address: str, shop: Path, days: int) -> None:
    """Wait until each partition of the last asset has a second file, then look at the bars."""
    end = time.monotonic() + MILLISECONDS / 1000
    while len(_files(shop, "gold")) < 2 * days:
        if time.monotonic() > end:
            sys.exit(f"gold has {len(_files(shop, 'gold'))} files, not {2 * days}")
        time.sleep(1)
    for asset in ASSETS:
        _look(page, address, asset, days)


def _files(shop: Path, layer: str) -> list[Path]:
    return list((shop / "data" / layer).glob("*/partition=*/*.parquet"))


def _count(shop: Path, **wanted: int) -> None:
    """End when there are not so many files."""
    found = {layer: len(_files(shop, layer)) for layer in wanted}
    if found != wanted:
        sys.exit(f"there are {found} files, not {wanted}")


if __name__ == "__main__":
    main()
