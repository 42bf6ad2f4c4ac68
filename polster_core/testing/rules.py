"""What a validation rule promises."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from polster_core.model.diagnostics import ValidationRule
from polster_core.plugins.installed import installed
from polster_core.testing.projects import PYPROJECT, faultless, polster, tree, write

_ASSETS = {
    "bronze_orders": (),
    "silver_orders": ("bronze_orders",),
    "gold_revenue": ("silver_orders",),
}


class RuleContract:
    """What a rule of `polster validate` does. Give `name`, `broken`, and `sound` where needed.

    `broken` are files that break the rule: they are written on top of a faultless project with the
    assets `bronze_orders`, `silver_orders` and `gold_revenue`, or those of `assets`; `None` is a
    file that is not there. `sound` are files that keep it; unless given, the faultless project has
    to. `prepare` is called with each project, to do what files cannot say.
    """

    hook: ClassVar[str] = "polster_validation_rules"
    name: str
    broken: Mapping[str, str | None]
    sound: Mapping[str, str | None] = {}
    assets: Mapping[str, Iterable[str]] = _ASSETS

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def test_it_is_listed(self, tmp_path: Path) -> None:
        """With a summary that fits into a line."""
        rule = installed().choose(ValidationRule, self.name)
        assert rule.summary.strip()
        assert "\n" not in rule.summary
        assert f"\n{self.name} " in polster(tmp_path, "validate", "--rules").succeeded().out

    def test_it_finds_what_breaks_it(self, tmp_path: Path) -> None:
        """Each in a file of the project, at a line of it, in one clause."""
        root = self._project(tmp_path, self.broken)
        found = self._found(root)
        assert found, "nothing was found in `broken`"
        for one in found:
            assert one["message"].strip()
            assert "\n" not in one["message"] + (one["hint"] or "")
            lines = (root / one["path"]).read_bytes().count(b"\n") + 1
            assert 1 <= one["line"] <= lines, one
            assert one["column"] >= 1, one

    def test_it_finds_nothing_where_nothing_is(self, tmp_path: Path) -> None:
        """Neither in a project that keeps it, nor in an empty one."""
        assert self._found(self._project(tmp_path / "sound", self.sound)) == []
        write(tmp_path / "empty", {"pyproject.toml": PYPROJECT})
        assert self._failures(tmp_path / "empty") == []

    def test_it_can_be_ignored(self, tmp_path: Path) -> None:
        """By its name, in the project's settings."""
        ignore = f'\n[tool.polster.validate]\nignore = ["{self.name}"]\n'
        settings = (self.broken.get("pyproject.toml") or PYPROJECT) + ignore
        root = self._project(tmp_path, {**self.broken, "pyproject.toml": settings})
        assert self._found(root) == []

    def test_it_survives_what_people_type(self, tmp_path: Path) -> None:
        """Half a line in a file of any folder is no reason to fail."""
        whole = {**faultless(self.assets), **self.broken}
        texts = {path: text for path, text in whole.items() if path.endswith(".py") and text}
        one_each = {PurePosixPath(path).parent: path for path in sorted(texts)}
        for number, path in enumerate(one_each.values()):
            half = {**self.broken, path: texts[path][: len(texts[path]) // 2] + "\ndef (:\n"}
            root = self._project(tmp_path / str(number), half)
            assert self._failures(root) == [], path

    def test_it_reads_and_does_not_write(self, tmp_path: Path) -> None:
        """Whatever it finds, the files stay as they are."""
        root = self._project(tmp_path, self.broken)
        before = tree(root)
        self._found(root)
        assert tree(root) == before

    def test_what_it_mends_is_mended(self, tmp_path: Path) -> None:
        """`--fix` leaves nothing that it could fix again."""
        root = self._project(tmp_path, self.broken)
        polster(root, "validate", "--fix")
        assert [one for one in self._found(root) if one["fix"]] == []

    def _project(self, root: Path, files: Mapping[str, str | None]) -> Path:
        whole = {"pyproject.toml": PYPROJECT, **faultless(self.assets), **files}
        write(root, {path: text for path, text in whole.items() if text is not None})
        self.prepare(root)
        return root

    def _found(self, root: Path) -> list[dict[str, Any]]:
        return [one for one in _problems(root) if one["rule"] == self.name]

    def _failures(self, root: Path) -> list[str]:
        """Return the complaints that the rule itself failed."""
        failed = f"the rule {self.name} of"
        return [one["message"] for one in self._found(root) if one["message"].startswith(failed)]


def _problems(root: Path) -> list[dict[str, Any]]:
    ran = polster(root, "validate", "--json")
    assert ran.code in {0, 1, 4}, ran.err
    found = json.loads(ran.out)["problems"]
    assert isinstance(found, list)
    return found
