"""The HTML page of `polster lineage`, in Chromium: it is searched, clicked, shared and walked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.handmade import polster, shop, write_project
from tests.lineage.test_lineage import COMMERCE

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page that fails the test if it says anything on the console or asks anyone."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on(
        "request", lambda request: said.append(request.url) if "http" in request.url else None
    )
    yield opened
    opened.close()
    assert said == []


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> str:
    files = shop(COMMERCE)
    asset = "src/orchestration/assets/gold/run_gold_customer_ltv.py"
    odd = "What </script><b>customers</b> are worth"
    files[asset] = files[asset].replace("The customer_ltv of gold.", odd)
    root = write_project(tmp_path_factory.mktemp("six"), files).root
    assert polster(root, "lineage", "--output", "lineage.html").code == 0
    return (root / "lineage.html").as_uri()


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> str:
    assets: dict[str, list[str]] = {f"bronze_b{n}": [] for n in range(400)}
    assets |= {f"silver_s{n}": [f"bronze_b{n}", f"bronze_b{n * 7 % 400}"] for n in range(400)}
    assets |= {f"gold_g{n}": [f"silver_s{n * 2}", f"silver_s{n * 2 + 1}"] for n in range(200)}
    root = write_project(tmp_path_factory.mktemp("thousand"), shop(assets)).root
    assert polster(root, "lineage", "--output", "lineage.html").code == 0
    return (root / "lineage.html").as_uri()


def lit(page: Page) -> set[str]:
    """Return the assets that stand out."""
    labels = page.locator("g.node.on").evaluate_all(
        "nodes => nodes.map(node => node.getAttribute('aria-label').split(':')[0])"
    )
    return set(labels)


def node(stem: str) -> str:
    return f'g.node[aria-label^="{stem}:"]'


def test_a_click_shows_where_an_asset_comes_from_and_goes(page: Page, six: str) -> None:
    page.goto(six)
    expect(page).to_have_title("shop: lineage")
    expect(page.locator("#counts")).to_have_text("2 bronze, 2 silver, 2 gold")
    page.click(node("silver_validated_orders"))
    assert lit(page) == {
        "bronze_raw_orders",
        "silver_validated_orders",
        "gold_customer_ltv",
        "gold_product_analytics",
    }
    details = page.locator("#details")
    expect(details.locator(".title")).to_have_text("validated_orders")
    expect(details).to_contain_text("src/core/silver_validated_orders.py")
    assert page.locator("path.wire.up").count() == 1
    assert page.locator("path.wire.down").count() == 2
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    assert lit(page) == set()


def test_text_from_the_project_is_text(page: Page, six: str) -> None:
    page.goto(six + "#gold_customer_ltv")
    expect(page.locator("#details p")).to_have_text("What </script><b>customers</b> are worth")
    assert page.locator("#details b").count() == 0


def test_the_address_is_shareable(page: Page, six: str) -> None:
    page.goto(six)
    page.click(node("gold_product_analytics"))
    page.click("#only")
    assert page.url == six + "#gold_product_analytics/only"
    shared = page.url
    page.goto("about:blank")
    page.goto(shared)
    expect(page.locator("#details .title")).to_have_text("product_analytics")
    expect(page.locator("g.node:visible")).to_have_count(3)
    page.click("#only")
    expect(page.locator("g.node:visible")).to_have_count(6)
    page.goto(six + "#nothing_like_it")
    expect(page.locator("#details")).to_be_hidden()


def test_everything_works_from_the_keyboard(page: Page, six: str) -> None:
    page.goto(six)
    page.keyboard.press("/")
    page.keyboard.type("ltv")
    expect(page.locator("#list a")).to_have_text(["customer_ltv"])
    page.keyboard.press("Enter")
    expect(page.locator("#details .title")).to_have_text("customer_ltv")
    page.locator(node("gold_customer_ltv")).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("#details .title")).to_have_text("raw_orders")


def test_a_drag_moves_and_does_not_choose(page: Page, six: str) -> None:
    page.goto(six)
    before = page.locator(node("bronze_raw_orders")).bounding_box()
    assert before is not None
    page.mouse.move(before["x"] + 20, before["y"] + 20)
    page.mouse.down()
    page.mouse.move(before["x"] + 120, before["y"] + 90, steps=4)
    page.mouse.up()
    after = page.locator(node("bronze_raw_orders")).bounding_box()
    assert after is not None
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (100, 70)
    expect(page.locator("#details")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(browser: Browser, six: str, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(six)
    ink, card = (
        page.locator(selector).first.evaluate("node => getComputedStyle(node).fill")
        for selector in (".name", ".card")
    )
    assert contrast(ink, card) > 7
    page.close()


def contrast(one: str, other: str) -> float:
    """Return the ratio that WCAG asks to be 4.5, or 7 for AAA."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in colour.strip("rgb()").split(",")]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_a_thousand_assets(page: Page, thousand: str) -> None:
    page.goto(thousand)
    expect(page.locator("g.node")).to_have_count(1000)
    page.fill("#search", "g17")
    expect(page.locator("#list a")).to_have_count(11)
    page.keyboard.press("Enter")
    expect(page.locator("#details .title")).to_have_text("g17")
    shown = page.locator(node("gold_g17")).bounding_box()
    assert shown is not None
    assert 264 < shown["x"] < 1280 - 328
    assert 0 < shown["y"] < 800
    assert lit(page) >= {"gold_g17", "silver_s34", "silver_s35", "bronze_b34", "bronze_b35"}
    page.click("#only")
    visible = page.locator("g.node:visible")
    assert visible.count() == len(lit(page)) < 12
    boxes = [box for one in visible.all() if (box := one.bounding_box())]
    assert all(box["x"] >= 264 and box["x"] + box["width"] <= 1280 - 328 for box in boxes)
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 800 for box in boxes)
