"""AGENTS.md of a generated project, carried out."""

from __future__ import annotations

import pytest

from polster_core.model.layers import Layer
from tests.docs.markdown import blocks
from tests.docs.reader import Reader
from tests.generated import guides
from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated
from tests.handmade import init_file


def register_silver(shop: Generated, *keys: str) -> None:
    shop.write({str(Layer.SILVER.init_file): init_file(Layer.SILVER, keys)})


@pytest.mark.slow
def test_an_agent_that_follows_it_is_done(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_orders", "sent_twice")
    readme = (shop.root / "README.md").read_text(encoding="utf-8")
    (function,) = [block.text for block in blocks(readme) if block.language == "python"]
    shop.write({"src/core/silver_orders.py": function})
    reader = Reader(
        page=(shop.root / "AGENTS.md").read_text(encoding="utf-8"),
        folder=shop.root,
        env=guides.typed(shop),
        before={"tests/test_silver_orders.py": lambda: register_silver(shop, "run_silver_orders")},
    )
    reader.read("Add an asset by hand", "Rename an asset by hand", "Remove an asset by hand")
    nothing = '"""The silver assets."""\n\n__all__: list[str] = []\n'  # as the page says
    shop.write({str(Layer.SILVER.init_file): nothing})
    reader.read("Commands")
