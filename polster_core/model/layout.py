"""Where the code of a project lies, and what its modules are called: nothing else knows it.

Usually `src/core` and `src/orchestration`, imported as `core` and `orchestration`. A project with
`package = "lake"` in `[tool.polster]` has both in `src/lake`, imported as `lake.core` and
`lake.orchestration`, and its tests in `tests/lake`. Templates are written for the usual layout, and
moved (`place`, `text`) when they are rendered. A command works in one project: `use` says which
layout that has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

_CODE = ("core", "orchestration")
_PATH = re.compile(rf"(?<![\w-])src/({'|'.join(_CODE)})\b")
_TESTS = re.compile(r"(?<![\w/-])tests/(?=test_|conftest)")
_MODULE = re.compile(
    r"(?<![\w./-])(core|orchestration)\.(?=(?:bronze|silver|gold|LAYER)_"
    r"|(?:settings|paths|storage|connectors|assets|definitions|partitions|utils)\b)"
)
_IMPORT = re.compile(rf"^(\s*(?:from|import) )({'|'.join(_CODE)})(?= import\b)", re.MULTILINE)
_NAMED = re.compile(rf'"({"|".join(_CODE)})"')
_FIRST_PARTY = re.compile(r"from ([\w.]+) import [\w., ]+")


@dataclass(frozen=True)
class Layout:
    """One of the two layouts; `package` is "" in the usual one.

    `key_prefix` is what the keys of the project's assets begin with in Dagster; "" for nothing.
    Files name assets without it.
    """

    package: str = ""
    key_prefix: str = ""

    @cached_property
    def source(self) -> PurePosixPath:
        """The folder of `core` and `orchestration`."""
        return PurePosixPath("src", self.package)

    @cached_property
    def core(self) -> PurePosixPath:
        """The folder of the pure functions."""
        return self.source / "core"

    @cached_property
    def assets(self) -> PurePosixPath:
        """The folder of the Dagster assets, with one folder a layer."""
        return self.source / "orchestration" / "assets"

    @cached_property
    def definitions(self) -> PurePosixPath:
        """What Dagster loads; assets may be defined there as well."""
        return self.assets.parent / "definitions.py"

    @cached_property
    def tests(self) -> PurePosixPath:
        """The folder of the tests."""
        return PurePosixPath("tests", self.package)

    def module(self, name: str) -> str:
        """Return the import name of what is `core...` or `orchestration...` usually."""
        return f"{self.package}.{name}" if self.package else name

    def key(self, text: str) -> str:
        """Return the key in Dagster of what a file calls so; other projects' keys have a slash."""
        return f"{self.key_prefix}/{text}" if self.key_prefix and "/" not in text else text

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """The beginnings of the import names of the project's own modules."""
        return tuple(f"{self.module(name)}." for name in _CODE)

    @cached_property
    def top_level(self) -> frozenset[str]:
        """The first parts of these names."""
        return frozenset({self.package} if self.package else _CODE)

    def place(self, path: PurePosixPath) -> PurePosixPath:
        """Return where a file goes that a template puts at `path`."""
        parts = path.parts
        if not self.package:
            return path
        if parts[:1] == ("src",) and parts[1:2] and parts[1] in _CODE:
            return self.source.joinpath(*parts[1:])
        if parts[:1] == ("tests",) and len(parts) == 2:  # noqa: PLR2004 - a file in it
            return self.tests / path.name
        return path

    def text(self, path: PurePosixPath, text: str) -> str:
        """Return the text of a template, written for a file at `path`, with our names."""
        if not self.package:
            return text
        text = _PATH.sub(rf"src/{self.package}/\1", text)
        text = _TESTS.sub(f"{self.tests}/", text)
        text = _MODULE.sub(rf"{self.package}.\1.", text)
        if path.suffix == ".toml":
            text = _NAMED.sub(rf'"{self.package}.\1"', text)
        text = _IMPORT.sub(rf"\1{self.package}.\2", text)
        return self._sorted(text) if path.suffix == ".py" else text

    def _sorted(self, text: str) -> str:
        """Sort the imports of the project's own modules, whose names begin otherwise now."""
        lines = text.splitlines(keepends=True)
        start = 0
        while start < len(lines):
            end = start
            while end < len(lines) and self._is_own(lines[end]):
                end += 1
            lines[start:end] = sorted(lines[start:end], key=lambda line: line.split()[1])
            start = end + 1
        return "".join(lines)

    def _is_own(self, line: str) -> bool:
        found = _FIRST_PARTY.fullmatch(line.rstrip("\n"))
        return found is not None and found[1].partition(".")[0] in {
            *self.top_level,
            "polster_runtime",
        }


_used = [Layout()]


def current() -> Layout:
    """Return the layout of the project that this process works in."""
    return _used[0]


def use(package: object = "", key_prefix: object = "") -> Layout:
    """Work in a project whose code is in a package of that name, or in the usual places."""
    texts = [text if isinstance(text, str) else "" for text in (package, key_prefix)]
    _used[0] = Layout(*texts)
    return _used[0]


__all__ = ["Layout", "current", "use"]
