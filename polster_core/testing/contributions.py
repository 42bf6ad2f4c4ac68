"""What plugins promise that add to every project: options, files, lines of `.gitignore`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, ClassVar

from polster_core.plugins.installed import installed
from polster_core.testing.offers import SECRET, WIDE, check_texts, files_of, init
from polster_core.testing.projects import polster, tree
from polster_core.types import GitignoreLine, Option, ProjectContext

_LONGEST = 100


class InitOptionContract:
    """What an option of `polster init` promises. Give `name`, and `value` where any will not do."""

    hook: ClassVar[str] = "polster_init_options"
    name: str
    value: str = ""

    def test_it_is_in_the_help(self, tmp_path: Path) -> None:
        """With words that fit into a line."""
        option = self._option()
        assert 0 < len(option.help) <= _LONGEST
        assert "\n" not in option.help + option.question
        assert f"--{self.name}" in polster(tmp_path, "init", "--help", env=WIDE).succeeded().out

    def test_its_answer_is_kept_for_upgrades(self, tmp_path: Path) -> None:
        """A secret is not."""
        init(tmp_path, *self._flags()).succeeded()
        answers = _manifest(tmp_path / "shop")["answers"]
        assert answers.get(self.name) == (None if self._option().secret else self._value())
        assert polster(tmp_path / "shop", "validate").succeeded().out.startswith("no problems")
        assert polster(tmp_path / "shop", "upgrade", "--check").succeeded().err == ""

    def test_what_is_no_choice_is_refused(self, tmp_path: Path) -> None:
        """Also that none is given where one is needed; nothing is written."""
        option = self._option()
        wrong = [["--no-such-option"]]
        wrong += [[f"--{self.name}", "no-such-choice"]] if option.choices else []
        wrong += [[]] if option.required else []
        for flags in wrong:
            assert init(tmp_path, *flags).code == 2
            assert list(tmp_path.iterdir()) == []

    def _option(self) -> Option:
        return installed().choose(Option, self.name)

    def _value(self) -> str:
        option = self._option()
        return self.value or (SECRET if option.secret else option.default) or "orders"

    def _flags(self) -> list[str]:
        if self._option().flag:
            return [f"--{self.name}" if self._value() == "true" else f"--no-{self.name}"]
        return [f"--{self.name}", self._value()]


class ProjectFilesContract:
    """What a plugin promises that adds files to every project.

    Give `plugin`, its entry point, and `options` of `init` with which it adds some.
    """

    hook: ClassVar[str] = "polster_project_files"
    plugin: str
    options: tuple[str, ...] = ()

    def test_its_files_are_in_the_project(self, tmp_path: Path) -> None:
        """As an editor would leave them, the same each time, and recorded for upgrades."""
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            assert init(tmp_path / folder, *self.options).succeeded().warnings == ""
        one, other = (tree(tmp_path / folder / "shop") for folder in ("a", "b"))
        recorded = _manifest(tmp_path / "a/shop")["files"]
        own = [path for path, known in recorded.items() if known["origin"] == self.plugin]
        assert own, "it adds no file"
        assert {path for path in own if one[path] != other[path]} == set()
        check_texts({path: one[path] for path in own})
        assert polster(tmp_path / "a/shop", "validate").succeeded().out.startswith("no problems")
        assert polster(tmp_path / "a/shop", "upgrade", "--check").succeeded().err == ""


class GitignoreContract:
    """What lines of `.gitignore` promise.

    Give `plugin`, `ignored`, paths that git ignores because of them, and `options` of `init`.
    """

    hook: ClassVar[str] = "polster_gitignore_lines"
    plugin: str
    ignored: tuple[str, ...]
    options: tuple[str, ...] = ()

    def test_git_ignores_what_it_should_and_nothing_else(self, tmp_path: Path) -> None:
        """Each line is there once, and no file of a new project is one of those."""
        assert init(tmp_path, *self.options).succeeded().warnings == ""
        root = tmp_path / "shop"
        subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)  # noqa: S607 - any git
        patterns = self._patterns(root)
        assert patterns, "it adds no line"
        lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
        assert [pattern for pattern in patterns if lines.count(pattern) != 1] == []
        assert self._matched(root, *self.ignored) >= {*self.ignored}
        assert self._matched(root, *files_of(root)) == set()

    def _matched(self, root: Path, *paths: str) -> set[str]:
        """Return those of the paths that git ignores because of the plugin's lines."""
        asked = ["git", "check-ignore", "--verbose", *paths]
        found = subprocess.run(  # noqa: S603 - git
            asked, cwd=root, check=False, capture_output=True, encoding="utf-8"
        ).stdout.splitlines()
        patterns = self._patterns(root)
        return {
            path
            for rule, _, path in (line.partition("\t") for line in found)
            if rule.split(":", 2)[2] in patterns
        }

    def _patterns(self, root: Path) -> set[str]:
        answers = _manifest(root)["answers"]
        context = ProjectContext(
            name="shop", storage=answers["storage"], cicd=answers["cicd"], answers=answers
        )
        told = installed().told(GitignoreLine, lambda _: context)
        return {line.pattern for plugin, line in told if plugin == self.plugin}


def _manifest(root: Path) -> dict[str, Any]:
    found = json.loads((root / ".polster/manifest.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found
