"""The commands of docs/guides/partitions.md, one after the other; and a backfill from the UI."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from polster_core.environment.venv import folder
from tests.docs.markdown import blocks
from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, execute, told
from tests.generated.test_ui import MILLISECONDS
from tests.generated.ui import ui
from tests.lineage.test_html import CHROMIUM
from tests.quality.test_guides import with_environment

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "partitions.md"
FILES = {
    "extract": "src/core/bronze_visits.py",
    "transform": "src/core/silver_visits.py",
    "aggregate": "src/core/gold_traffic.py",
}
UNTIL = ', end_date="2026-01-10")'
"""After the last day that the source has."""


def test_commands(project: MakeProject) -> None:
    shop = with_environment(project(samples=False))
    for day in range(1, 10):
        rows = "page\n" + "a\n" * day + "b\n"
        shop.write({f"incoming/visits/2026-01-0{day}.csv": rows})
    path = [folder(shop.root) / "bin", Path(sys.executable).parent, os.environ["PATH"]]
    env = shop.variables({"PATH": os.pathsep.join(map(str, path))})
    del env["PYTHONPATH"]
    page = list(blocks(PAGE.read_text("utf-8")))
    made, *ran = [block.text for block in page if block.language == "sh"]
    done = execute(["bash", "-ec", made], cwd=shop.root, env=env)
    assert done.returncode == 0, told(done)
    for text in [block.text for block in page if block.language == "python"]:
        head = text.partition("\n")[0]
        file = shop.root / FILES[head.removeprefix("def ").partition("(")[0]]
        before, _, rest = file.read_text("utf-8").partition(head)
        before = before.replace("import run", "import run\nfrom core.paths import PROJECT_ROOT")
        columns = "page = dy.String()" + "\n    visits = dy.UInt32()" * ("aggregate" in head)
        before = before.replace("    # One line for each column,", f"    {columns}\n    #")
        end = rest.index("\n\nif __name__")
        file.write_text(f"{before}{text}{rest[end:]}", encoding="utf-8")
    definition = (shop.root / "src/orchestration/partitions.py").read_text("utf-8")
    (shown,) = [block.text for block in page if block.text.startswith("daily =")]
    assert definition.endswith(f"\n\n{shown}")
    said = ""
    for command in ran:
        done = execute(["bash", "-ec", command], cwd=shop.root, env=env)
        assert done.returncode == 0, f"{command}\n{told(done)}"
        said += done.stdout
    assert "7 partitions   never ran" in said
    assert "nothing to run: no partition is missing" in said
    assert "silver  visits [daily]  visits" in said
    assert re.search(r"silver_visits +fresh +35 .* 7 of \d+ partitions, latest 2026-01-07", said)
    assert shop.rows("gold_traffic") == [{"page": "a", "visits": 28}, {"page": "b", "visits": 7}]
    _from_the_ui(shop)


def _from_the_ui(shop: Generated) -> None:
    """Fill all days from the page of bronze: the daemon runs them, one fails, and is repaired.

    The bar says so each time.
    """
    source = shop.root / "incoming/visits/2026-01-09.csv"
    days = shop.root / "src/orchestration/partitions.py"
    days.write_text(days.read_text("utf-8").replace(")", UNTIL), encoding="utf-8")
    rows = source.read_text("utf-8")
    source.unlink()
    with ui(shop, "--no-materialize", SOURCE_RETRIES="0") as one, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu"])
        page = chromium.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(MILLISECONDS)
        asset = f"{one.address}/assets/run_bronze_visits"
        page.goto(asset)
        page.get_by_text(re.compile(r"^Materialize(…|\.\.\.)")).first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="All", exact=True).click()
        dialog.get_by_role("button", name="Launch backfill").click()
        expect(dialog).to_have_count(0, timeout=MILLISECONDS)
        _look(page, asset, done=8, failed=1)
        source.write_text(rows, encoding="utf-8")
        repaired = shop.json("--asset", "bronze_visits", "--missing", "--partition", "2026-01-09")
        assert [one["partitions"] for one in repaired["assets"]] == [1]
        _look(page, asset, done=9, failed=0)
        chromium.close()
    folder = shop.root / "data/bronze/visits"
    assert len([path for path in folder.iterdir() if path.name.startswith("partition=")]) == 9


def _look(page: Page, asset: str, *, done: int, failed: int) -> None:
    """Wait until the bar says how many partitions there are."""
    page.goto(f"{asset}?view=partitions")
    for text in (f"Materialized ({done})", f"Failed ({failed})", "Materializing (0)"):
        expect(page.get_by_text(text, exact=True)).to_be_visible(timeout=MILLISECONDS)
