"""Take the pictures of the documentation from the real Dagster UI.

    python docs/pictures.py

Makes a project with the samples in a temporary folder, runs it, opens its UI, and writes
docs/images/lineage.png and docs/images/asset.png. Needs Polster with its `test` extra, and
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

IMAGES = Path(__file__).parent / "images"
EXPANDED = "%2C".join(f"global%40global%3A{layer}" for layer in ("bronze", "silver", "gold"))
LINEAGE = f"/asset-groups?expanded={EXPANDED}"
ASSET = "/assets/run_silver_example"
GRAPH = {"x": 400, "y": 118, "width": 826, "height": 362}
"""The lineage without what is around it, in pixels of the page."""
PATIENCE = 60_000
"""Milliseconds."""


def main() -> None:
    """Take both pictures."""
    with tempfile.TemporaryDirectory() as folder, _ui(Path(folder)) as address, _browser() as page:
        _lineage(page, address)
        _asset(page, address)


def _lineage(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 560})
    page.goto(address + LINEAGE)
    page.get_by_text("Hide navigation").click()
    page.reload()
    page.get_by_text("Materialized").nth(3).wait_for(timeout=PATIENCE)
    page.wait_for_timeout(3_000)
    page.screenshot(path=IMAGES / "lineage.png", clip=GRAPH)


def _asset(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1500, "height": 1000})
    page.goto(address + ASSET)
    page.get_by_text("Row count").first.wait_for(timeout=PATIENCE)
    page.wait_for_timeout(3_000)
    page.screenshot(path=IMAGES / "asset.png")


@contextmanager
def _ui(folder: Path) -> Iterator[str]:
    """Make a project, run it, and serve its UI while the block runs."""
    polster = [sys.executable, "-m", "polster_core"]
    subprocess.run([*polster, "init", "shop", "--no-git", "--setup"], cwd=folder, check=True)
    process = subprocess.Popen(
        [*polster, "run", "--ui"], cwd=folder / "shop", stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout or ():
            if found := re.search(r"Dagster UI: (http://\S+)", line):
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
