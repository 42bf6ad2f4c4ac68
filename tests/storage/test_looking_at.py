"""Data in the lake, looked at: in the browser, and with `polster preview`."""

from __future__ import annotations

import json

from playwright.sync_api import expect, sync_playwright

from tests import machine
from tests.generated import guides
from tests.generated.projects import Generated, told
from tests.generated.test_ui import MILLISECONDS
from tests.generated.ui import end_of, launch, ui
from tests.lineage.test_html import CHROMIUM
from tests.storage.azurite import Azurite

ASSETS = ("bronze_customers", "bronze_example", "silver_example", "gold_example")


def test_the_ui_runs_everything_and_shows_it(shop: Generated, azurite: Azurite) -> None:
    container = azurite.create("looked-at")
    env = azurite.variables(container)
    with ui(shop, "--no-materialize", **env) as one, sync_playwright() as playwright:
        end_of(one, launch(one, *ASSETS), "SUCCESS")
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(f"{one.address}/assets/run_silver_example")
        path = page.get_by_text(f"{container}/shop/data/silver/example/").first
        expect(path).to_be_visible(timeout=MILLISECONDS)
        page.get_by_text("[Show Markdown]").first.click()
        expect(page.get_by_role("cell", name="notebook").first).to_be_visible()
        browser.close()
    previewed(shop, env)


def previewed(shop: Generated, env: dict[str, str]) -> None:
    """Look at the same rows without the UI."""
    guides.stand_in(shop.root / ".venv/bin", shop)
    args = ("preview", "silver_example", "--rows", "2", "--json")
    done = machine.polster(*args, cwd=shop.root, env=env)
    assert done.returncode == 0, told(done)
    assert len(json.loads(done.stdout)["preview"]) == 2
