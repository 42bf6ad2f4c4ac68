"""Where code lies: texts and paths of the usual layout, moved into a package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from polster_core.model import layout
from polster_core.model.layers import AssetId, Layer, of_folder
from polster_core.model.ownership import Owner, owner_of

ASSET = AssetId(Layer.SILVER, "orders")


@pytest.fixture
def lake() -> Iterator[layout.Layout]:
    yield layout.use("lake")
    layout.use()


def test_an_asset_is_in_the_package(lake: layout.Layout) -> None:
    assert str(ASSET.core_file) == "src/lake/core/silver_orders.py"
    assert str(ASSET.test_file) == "tests/lake/test_silver_orders.py"
    assert ASSET.core_module == "lake.core.silver_orders"
    assert ASSET.asset_module == "lake.orchestration.assets.silver.run_silver_orders"
    assert of_folder(ASSET.asset_file) is Layer.SILVER
    assert {owner_of(path) for path in (ASSET.core_file, ASSET.asset_file, ASSET.test_file)} == {
        Owner.TEAM
    }
    assert owner_of(lake.core / "settings.py") is Owner.SHARED
    assert owner_of(PurePosixPath("src/core/silver_orders.py")) is Owner.SHARED


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("src/core/a.py", "src/lake/core/a.py"),
        ("src/orchestration/assets/gold/b.py", "src/lake/orchestration/assets/gold/b.py"),
        ("src/polster_runtime/core/a.py", "src/polster_runtime/core/a.py"),
        ("tests/conftest.py", "tests/lake/conftest.py"),
        ("docs/src/core/a.md", "docs/src/core/a.md"),
        ("run_polster.py", "run_polster.py"),
    ],
)
def test_a_file_of_a_template_moves(path: str, moved: str, lake: layout.Layout) -> None:
    assert str(lake.place(PurePosixPath(path))) == moved
    assert str(lake.place(PurePosixPath(moved))) == moved


TEXT = """\
from core.silver_orders import transform
from orchestration.utils import Results
from polster_runtime.dagster.steps import x
from core import bronze_a

# in src/core, tests/test_silver_orders.py; not src/core2, xcore.silver_a, core.autocrlf
"""
MOVED = """\
from polster_runtime.dagster.steps import x
from zoo.core import bronze_a
from zoo.core.silver_orders import transform
from zoo.orchestration.utils import Results

# in src/zoo/core, tests/zoo/test_silver_orders.py; not src/core2, xcore.silver_a, core.autocrlf
"""


def test_a_text_of_a_template_names_the_package_and_stays_sorted() -> None:
    zoo, path = layout.Layout("zoo"), PurePosixPath("a.py")
    assert zoo.text(path, TEXT) == MOVED
    assert zoo.text(path, MOVED) == MOVED
    assert layout.Layout().text(path, TEXT) == TEXT
    settings = zoo.text(
        PurePosixPath("p.toml"), 'module = "orchestration.definitions"\nall = ["core"]'
    )
    assert settings == 'module = "zoo.orchestration.definitions"\nall = ["zoo.core"]'


def test_a_layout_is_what_the_settings_say() -> None:
    assert layout.use(["no text"]) == layout.Layout()
    assert layout.current().module("core.x") == "core.x"
