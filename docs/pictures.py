"""Take the pictures of the documentation from the real Dagster UI.

    python docs/pictures.py

Makes a project with the samples in a temporary folder, runs it, opens its UI and its lineage page,
and writes docs/images/*.png. Needs Polster with its `test` extra, and
Chromium: as `chromium` on the PATH, or in CHROMIUM.
"""
# ruff: noqa: INP001, S603

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

POLSTER = [sys.executable, "-m", "polster_core"]
IMAGES = Path(__file__).parent / "images"
EXPANDED = "%2C".join(f"global%40global%3A{layer}" for layer in ("bronze", "silver", "gold"))
LINEAGE = f"/asset-groups?expanded={EXPANDED}"
ASSET = "/assets/run_silver_example"
COLUMN = "growth_percent"
GRAPH = {"x": 400, "y": 118, "width": 826, "height": 362}
"""The lineage without what is around it, in pixels of the page."""
TIMEOUT = 60_000
"""Milliseconds."""


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as folder, _browser() as page:
        with _ui(Path(folder)) as address:
            _lineage(page, address)
            _asset(page, address)
            _check(page, address)
        _column(page, Path(folder) / "shop")


def _lineage(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 560})
    page.goto(address + LINEAGE)
    page.get_by_text("Hide navigation").click()
    page.reload()
    page.get_by_text("Materialized").nth(3).wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(3_000)
    page.screenshot(path=IMAGES / "lineage.png", clip=GRAPH)


def _asset(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1500, "height": 1000})
    page.goto(address + ASSET)
    page.get_by_text("Row count").first.wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(3_000)
    page.screenshot(path=IMAGES / "asset.png")


def _check(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1500, "height": 800})
    page.goto(f"{address}{ASSET}?view=checks")
    page.get_by_text("quantity >= 1").first.wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(3_000)
    page.screenshot(path=IMAGES / "check.png")


def _column(page: Page, project: Path) -> None:
    command = [*POLSTER, "lineage", "--columns", "-o", "lineage.html"]
    subprocess.run(command, cwd=project, check=True)
    page.set_viewport_size({"width": 1280, "height": 620})
    page.goto((project / "lineage.html").as_uri() + "#gold_example")
    page.get_by_role("button", name=COLUMN).click()
    page.locator("#way code").first.wait_for(timeout=TIMEOUT)
    page.screenshot(path=IMAGES / "column.png")


@contextmanager
def _ui(folder: Path) -> Iterator[str]:
    """Make a project, run it, and serve its UI while the block runs."""
    subprocess.run([*POLSTER, "init", "shop", "--no-git", "--setup"], cwd=folder, check=True)
    process = subprocess.Popen(
        [*POLSTER, "run", "--ui"], cwd=folder / "shop", stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout or ():
            if found := re.search(r"Dagster UI: (http://[^/\s]+)", line):
                yield found[1]
                return
        raise RuntimeError("the UI did not start")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


@contextmanager
def _browser() -> Iterator[Page]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser.new_page(device_scale_factor=1.5)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
