"""What everything that a plugin offers by name promises."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from polster_core import delivery
from polster_core.plugins.installed import installed
from polster_core.testing.projects import Ran, polster, tree
from polster_core.types import (
    AssetTemplate,
    CicdGenerator,
    Contribution,
    Deployment,
    Executor,
    Option,
    RuntimePart,
    StorageBackend,
)

SECRET = "s3cret-0f-the-kit"  # noqa: S105 - not one
"""What the contracts give for options that are secret."""
WIDE = {"COLUMNS": "200"}
_LONGEST = 100


class OfferContract:
    """What is the same for all kinds. Give `name`, and `answers` for the options it needs.

    `answers` maps options, without the prefix of the offer, to their values; an option that is
    required and not in it gets its first choice, its default, or the word `orders`.
    """

    kind: ClassVar[type[StorageBackend | Executor | CicdGenerator | Deployment | AssetTemplate]]
    name: str
    answers: Mapping[str, str] = {}

    def test_its_words_fit_into_a_line(self) -> None:
        """Summary and help stand in `--help`, prompts and lists."""
        offer = self.offer()
        words = [offer.summary, *(option.help for option in offer.options)]
        words += [variable.help for variable in offer.env]
        for text in words:
            assert text.strip() == text
            assert 0 < len(text) <= _LONGEST, text
            assert "\n" not in text

    def test_its_options_are_for_variables_that_it_has(self) -> None:
        """An answer that is kept in a variable nobody lists would be lost."""
        known = {variable.name: variable for variable in self.offer().env}
        for option in self.offer().options:
            assert option.env in {"", *known}, option.name
            if option.env:
                assert option.secret <= known[option.env].secret, f"{option.env} is not secret"

    def test_a_secret_has_no_default(self) -> None:
        """Defaults are written where everybody reads them."""
        offer = self.offer()
        assert [option.name for option in offer.options if option.secret and option.default] == []
        assert [
            variable.name for variable in offer.env if variable.secret and variable.default
        ] == []

    def offer(self) -> Contribution:
        """Return what the plugin offers."""
        return installed().choose(self.kind, self.name)

    def given(self) -> dict[str, str]:
        """Return a value for each option that needs one, and those of `answers`."""
        options = {option.name: option for option in self.offer().options}
        assert self.answers.keys() <= options.keys(), "`answers` has options that there are not"
        needed = {name: _value(one) for name, one in options.items() if one.required or one.secret}
        return {**needed, **self.answers}

    def flags(self, *, prefix: str = "", without: str = "") -> list[str]:
        """Return the options as they are typed, all but one."""
        options = {option.name: option for option in self.offer().options}
        typed: list[str] = []
        for name, value in self.given().items():
            if name == without:
                continue
            if options[name].flag:
                typed.append(f"--{prefix}{name}" if value == "true" else f"--no-{prefix}{name}")
            else:
                typed += [f"--{prefix}{name}", value]
        return typed


def init(folder: Path, *options: str) -> Ran:
    """Make the project `shop` in a folder: files only."""
    return polster(folder, "init", "shop", "--no-setup", "--no-git", *options, env=WIDE)


def files_of(root: Path) -> dict[str, str]:
    """Return the files that a person sees of a project."""
    return {path: text for path, text in tree(root).items() if not path.startswith(".polster/")}


def check_texts(files: Mapping[str, str]) -> None:
    """Assert that files are as an editor would have left them, and that Python can be read."""
    for path, text in files.items():
        assert "\r" not in text, f"{path} has CRLF line ends"
        assert not text or text.endswith("\n"), f"{path} does not end with a line end"
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), f"{path} has trailing white space"
        if path.endswith(".py"):
            ast.parse(text, path)


def check_parts(files: Mapping[str, str], parts: Iterable[RuntimePart]) -> None:
    """Assert that a project has parts of the runtime: as code with entry points, or required."""
    project = tomllib.loads(files["pyproject.toml"])
    vendored = delivery.of(project) == "vendored"
    groups = project["project"].get("entry-points", {})
    for part in parts:
        path = f"src/{part.package.replace('.', '/')}"
        there = f"{path}/__init__.py" in files or f"{path}.py" in files
        assert there == vendored, f"{path} is {'missing' if vendored else 'there'}"
        if vendored:
            for group, names in delivery.entry_points([part]).items():
                assert names.items() <= groups.get(group, {}).items(), f"[{group}] lacks {names}"
        else:
            assert part.requirement in ("", *project["project"]["dependencies"])


def _value(option: Option) -> str:
    if option.secret:
        return SECRET
    return option.default or next(iter(option.choices), "orders")
