"""The commands of docs/guides/partitions.md, one after the other; and a backfill from the UI."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from polster_core.environment.venv import folder
from tests.docs.markdown import blocks
from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, execute, told
from tests.generated.ui import ui
from tests.quality.daemon import wait_for
from tests.quality.test_guides import with_environment

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "partitions.md"
FILES = {
    "extract": "src/core/bronze_visits.py",
    "transform": "src/core/silver_visits.py",
    "aggregate": "src/core/gold_traffic.py",
}
BACKFILL = """
mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
STATUS = """
query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status } } }
"""
BAR = """
query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  partitionStats { numMaterialized numFailed } } } }
"""


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
    """Compute two more days as the backfill button does: the daemon runs them, the bar grows."""
    keys = [{"path": [f"run_{name}_visits"]} for name in ("bronze", "silver")]
    params = {"assetSelection": keys, "partitionNames": ["2026-01-08", "2026-01-09"]}
    with ui(shop, "--no-materialize") as one:
        launched = one.ask(BACKFILL, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def is_over() -> bool:
            found = one.ask(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
            return bool(found["status"].startswith("COMPLETED"))

        wait_for(is_over)
        for key in keys:
            found = one.ask(BAR, key=key)["assetNodeOrError"]["partitionStats"]
            assert found == {"numMaterialized": 9, "numFailed": 0}
    folder = shop.root / "data/silver/visits"
    assert len([path for path in folder.iterdir() if path.name.startswith("partition=")]) == 9
