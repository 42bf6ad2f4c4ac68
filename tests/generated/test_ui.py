"""`run_polster.py --ui` in a real browser: lineage, assets, checks, runs; and what stays off."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.generated.conftest import maker
from tests.generated.projects import told
from tests.generated.ui import RUN, UI, end_of, held, last_run, ui
from tests.generated.warm import TIMEOUT
from tests.lineage.test_html import CHROMIUM
from tests.quality.daemon import code_servers, statuses, wait_for

pytestmark = pytest.mark.slow

MILLISECONDS = 120_000.0
KINDS = {"polars": 5, "bronze": 3, "silver": 1, "gold": 1}
"""The icons of the assets: a medal for each layer."""
LOADED_AGAIN = 75.0
"""Seconds after which Dagster by itself would load a project again; a minute has begun by then."""
EACH_MINUTE = {"BRONZE_CRON": "* * * * *", "SENSOR_SECONDS": "1"}


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Iterator[UI]:
    """Return the UI of the samples and of a source that can be held, opened after a run.

    Bronze would run each minute, and silver and gold after it, were automation not off.
    """
    shop = maker(tmp_path_factory.mktemp("ui"), runtime, templates)()
    shop.place("bronze_held", "held_source")
    with ui(shop, **EACH_MINUTE) as one:
        yield one


@pytest.fixture(scope="module")
def loaded(running: UI) -> tuple[set[int], float]:
    """Return the processes that have loaded the project, and when they had."""
    wait_for(lambda: len(code_servers(running.shop)) == 2)
    return code_servers(running.shop), time.monotonic()


@dataclass
class Seen:
    """What went wrong in a browser."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what a page no longer wants when it is left
            self.problems.append(f"{request.url} {request.failure}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserContext]:
    """Return a browser, which keeps Dagster's own code from one test to the next."""
    args = ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield started.new_context(viewport={"width": 1600, "height": 1000})
        started.close()


@pytest.fixture
def browser(chromium: BrowserContext) -> Iterator[Seen]:
    """Return an empty page of it."""
    page = chromium.new_page()
    yield Seen(page)
    page.close()


@pytest.mark.usefixtures("loaded")
def test_it_ran_before_it_opened(running: UI) -> None:
    said = "".join(running.said)
    assert "5 assets, 5 succeeded" in said
    assert "│ consumer" in said
    assert "Traceback" not in said


def test_r3_it_opens_on_the_lineage_of_all_assets(running: UI, browser: Seen) -> None:
    page = browser.page
    page.goto(running.page)
    materialized = page.get_by_text("Materialized", exact=True)
    expect(materialized).to_have_count(5, timeout=MILLISECONDS)
    for stem in ("bronze_example", "bronze_customers", "silver_example", "gold_example"):
        expect(page.get_by_text(f"run_{stem}", exact=True).first).to_be_visible()
    medals = {kind: page.get_by_role("img", name=kind, exact=True).count() for kind in KINDS}
    assert medals == KINDS
    assert browser.problems == []


def test_an_asset_page_shows_rows_preview_and_check(running: UI, browser: Seen) -> None:
    page = browser.page
    page.goto(f"{running.address}/assets/run_silver_example")
    for text in (re.compile("^1,?148$"), "customer_id"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=MILLISECONDS)
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_role("cell", name="notebook").first).to_be_visible()
    assert browser.problems == []


def test_dagster_shows_the_check_and_what_was_rejected(running: UI, browser: Seen) -> None:
    page = browser.page
    page.goto(f"{running.address}/assets/run_silver_example?view=events")
    expect(page.get_by_text("rejected", exact=True).first).to_be_visible(timeout=MILLISECONDS)
    expect(page.get_by_text("52", exact=True).first).to_be_visible(timeout=MILLISECONDS)
    page.goto(f"{running.address}/assets/run_silver_example?view=checks")
    expect(page.get_by_text("contract", exact=True).first).to_be_visible(timeout=MILLISECONDS)
    expect(page.get_by_text("quantity >= 1").first).to_be_visible(timeout=MILLISECONDS)
    assert browser.problems == []


def execute_again(one: UI, page: Page, run_id: str, how: str) -> str:
    """Execute a run again from its page, and return the id of the new run."""
    page.goto(f"{one.address}/runs/{run_id}")
    whole = page.get_by_role("button", name="Re-execute all")
    if how == "whole":
        whole.click(timeout=MILLISECONDS)
    else:
        whole.locator("xpath=following::button[1]").click(timeout=MILLISECONDS)
        page.get_by_role("menuitem").filter(has_text=how).click()
    page.wait_for_url(lambda url: "/runs/" in url and run_id not in url, timeout=MILLISECONDS)
    again = page.url.rpartition("/")[2]
    assert one.ask(RUN, id=again)["runOrError"]["parentRunId"] == run_id
    return again


def terminate(one: UI, page: Page, run_id: str) -> None:
    """End a run from its page."""
    page.goto(f"{one.address}/runs/{run_id}")
    page.get_by_role("button", name="Terminate").click(timeout=MILLISECONDS)
    page.get_by_role("button", name="Terminate 1 run").click()
    expect(page.get_by_text("Canceled", exact=True).first).to_be_visible(timeout=MILLISECONDS)


def test_r3_a_run_of_the_terminal_is_executed_again(running: UI, browser: Seen) -> None:
    shop, page = running.shop, browser.page
    broken = shop.root / "data" / "broken"
    broken.touch()
    done = shop.run("--asset", "bronze_held", "--asset", "bronze_customers")
    assert done.returncode == 1, told(done)
    broken.unlink()
    failed = last_run(running)
    customers, files = len(shop.files("bronze_customers")), len(shop.files("bronze_held"))
    whole = execute_again(running, page, failed, "whole")
    end_of(running, whole, "SUCCESS")
    assert len(shop.files("bronze_customers")) == customers + 1
    rest = execute_again(running, page, failed, "From failure")
    end_of(running, rest, "SUCCESS")
    assert len(shop.files("bronze_customers")) == customers + 1, "it had not failed"
    assert len(shop.files("bronze_held")) == files + 2
    page.goto(f"{running.address}/assets/run_bronze_held?view=events")
    expect(page.get_by_role("link", name=rest[:8]).first).to_be_visible(timeout=MILLISECONDS)
    page.goto(f"{running.address}/locations/shop/jobs/all_assets/runs")
    for run_id in (failed, whole, rest):
        expect(page.get_by_role("link", name=run_id[:8]).first).to_be_visible(timeout=MILLISECONDS)
    page.goto(f"{running.address}/overview/activity/timeline")
    expect(page.get_by_role("link", name="all_assets")).to_be_visible(timeout=MILLISECONDS)
    assert browser.problems == []


def test_r3_runs_are_terminated(running: UI, browser: Seen) -> None:
    """One that the UI has started, and one of the terminal."""
    shop, page = running.shop, browser.page
    files = shop.files("bronze_held")
    finished = last_run(running)
    with held(running):
        again = execute_again(running, page, finished, "whole")
        end_of(running, again, "STARTED")
        terminate(running, page, again)
        process = shop.start("run_polster.py", "--asset", "bronze_held")
        wait_for(lambda: last_run(running) != again)
        own = last_run(running)
        end_of(running, own, "STARTED")
        terminate(running, page, own)
        process.communicate(timeout=TIMEOUT)
        assert process.returncode == 130
    assert shop.files("bronze_held") == files
    assert browser.problems == []


def test_automation_that_is_off_is_silent(running: UI, loaded: tuple[set[int], float]) -> None:
    """R11: nor is the project loaded again, since nothing of it has changed."""
    shop, (servers, began) = running.shop, loaded
    done = shop.run("--asset", "bronze_customers")  # silver could start at once
    assert done.returncode == 0, told(done)
    before, runs = sorted((shop.root / "data").rglob("*.parquet")), statuses(shop)
    looked = time.monotonic() + 12  # a sensor looks every five seconds at the most
    time.sleep(max(looked, began + LOADED_AGAIN) - time.monotonic())
    assert sorted((shop.root / "data").rglob("*.parquet")) == before
    assert statuses(shop) == runs
    assert code_servers(shop) == servers
