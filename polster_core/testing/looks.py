"""What checks of `polster doctor` and columns of `polster list-assets` promise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from polster_core.plugins.installed import installed
from polster_core.testing.offers import files_of, init
from polster_core.testing.projects import PYPROJECT, faultless, polster, tree, write
from polster_core.types import AssetColumn, DoctorCheck, GuideSection, ProjectContext

_ASSETS = {"bronze_orders": (), "silver_orders": ("bronze_orders",)}
_LONGEST = 100


class DoctorCheckContract:
    """What a check of `polster doctor` does. Give `name`.

    `files` are what the project has in which it is tried.
    """

    hook: ClassVar[str] = "polster_doctor_checks"
    name: str
    files: Mapping[str, str] = {}

    def test_it_looks_in_a_project_and_outside(self, tmp_path: Path) -> None:
        """It fails nowhere, says each thing in a line, and what to do about what is wrong."""
        write(tmp_path / "shop", {"pyproject.toml": PYPROJECT, **faultless(_ASSETS), **self.files})
        before = tree(tmp_path / "shop")
        (tmp_path / "empty").mkdir()
        for folder in ("shop", "empty"):
            ran = polster(tmp_path / folder, "doctor", "--json")
            assert ran.code in {0, 1}, ran.err
            for one in json.loads(ran.out)["checks"]:
                if one["name"] == self.name:
                    assert one["message"].strip()
                    assert "\n" not in one["message"] + one["hint"]
                    assert one["status"] not in {"warning", "error"} or one["hint"], one
        assert tree(tmp_path / "shop") == before

    def test_its_summary_fits_into_a_line(self) -> None:
        """It stands in `polster plugins show`."""
        assert 0 < len(installed().choose(DoctorCheck, self.name).summary) <= _LONGEST


class AssetColumnContract:
    """What a column of `polster list-assets` shows. Give `name`.

    `expected` maps assets of the project (`bronze_orders`, `silver_orders`, or those of `files`) to
    what their cells shall be.
    """

    hook: ClassVar[str] = "polster_asset_columns"
    name: str
    expected: Mapping[str, str] = {}
    files: Mapping[str, str] = {}

    def test_every_asset_has_a_cell(self, tmp_path: Path) -> None:
        """In the table and in JSON alike, and also where a file cannot be parsed."""
        whole = {"pyproject.toml": PYPROJECT, **faultless(_ASSETS), **self.files}
        write(tmp_path, whole)
        shown = polster(tmp_path, "list-assets", "--column", self.name, "--json").succeeded()
        found = {
            f"{one['layer']}_{one['name']}": one["columns"][self.name]
            for one in json.loads(shown.out)["assets"]
        }
        assert found.keys() >= _ASSETS.keys()
        assert {asset: found[asset] for asset in self.expected} == self.expected
        table = polster(tmp_path, "list-assets", "--column", self.name).succeeded().out
        assert self.name.upper() in table.splitlines()[0]
        write(tmp_path, {"src/core/bronze_orders.py": "def (\n"})
        polster(tmp_path, "list-assets", "--column", self.name).succeeded()

    def test_its_summary_fits_into_a_line(self) -> None:
        """It stands in `polster plugins show`."""
        assert 0 < len(installed().choose(AssetColumn, self.name).summary) <= _LONGEST


class GuideSectionContract:
    """What a plugin adds to guides. Give `plugin`, its entry point, and `options` of `init`."""

    hook: ClassVar[str] = "polster_guide_sections"
    plugin: str
    options: tuple[str, ...] = ()

    def test_its_sections_are_in_the_guides(self, tmp_path: Path) -> None:
        """Each in a page that there is, once, and without a warning."""
        ran = init(tmp_path, *self.options).succeeded()
        assert f"plugin {self.plugin} " not in ran.err
        files = files_of(tmp_path / "shop")
        found = self._sections(tmp_path / "shop")
        assert found, "it adds no section"
        for section in found:
            assert files[str(section.guide)].count(f"\n## {section.title}\n") == 1

    def _sections(self, root: Path) -> list[GuideSection]:
        known = json.loads((root / ".polster/manifest.json").read_text(encoding="utf-8"))
        answers = known["answers"]
        context = ProjectContext(
            name="shop", storage=answers["storage"], cicd=answers["cicd"], answers=answers
        )
        told = installed().told(GuideSection, lambda _: context)
        return [section for plugin, section in told if plugin == self.plugin]
