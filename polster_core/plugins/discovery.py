"""Which plugins are installed, told without `importlib.metadata`, which is slow to import.

`os.path` is here for the same reason: hundreds of folders are looked into at every start.
"""
# ruff: noqa: PTH113, PTH118, PTH123, PTH208

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.machinery import PathFinder
from operator import attrgetter
from typing import Any, NamedTuple

GROUP = "polster"
"""The entry-point group of plugins, Polster's own included."""
COMMAND_PREFIX = "command-"
"""How the name of an entry point begins whose plugin adds commands."""
_SECTION = re.compile(r"^\[polster\][^\S\n]*\n(?P<body>.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_SUFFIXES = (".dist-info", ".egg-info")


class Distribution(NamedTuple):
    """Who brings an entry point."""

    name: str
    version: str


class Point(NamedTuple):
    """One entry point, as far as `importlib.metadata.EntryPoint` is needed."""

    name: str
    value: str
    dist: Distribution

    def load(self) -> Any:
        """Import what it names."""
        module, _, name = self.value.partition(":")
        return attrgetter(name)(import_module(module)) if name else import_module(module)


def quickly(prefix: str, path: Iterable[str] | None = None) -> list[Point] | None:
    """Return the entry points of the group `polster` whose names begin with `prefix`.

    Returns None where that cannot be told from the metadata in plain folders: somebody has a zipped
    site-packages, or a finder of their own. `path` is `sys.path` unless given.
    """
    if any(finder is not PathFinder and _finds(finder) for finder in sys.meta_path):
        return None
    found: dict[str, list[Point]] = {}
    for entry in sys.path if path is None else path:
        folder = entry or os.curdir
        if os.path.isfile(folder):
            return None
        for info in _infos(folder):
            lines = list(_lines(info, prefix))
            if lines:
                brought_by = _distribution(info)
                points = [_point(line, brought_by) for line in lines]
                found.setdefault(_key(brought_by), points)  # the first one on the path counts
    return [point for points in found.values() for point in points]


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return which of these distributions, by normalized name, are installed, and the version."""
    wanted = set(names)
    found: dict[str, str] = {}
    for entry in sys.path:
        for info in _infos(entry or os.curdir):
            stem = os.path.basename(info).partition("-")[0]  # noqa: PTH119 - see above
            if re.sub(r"[-_.]+", "-", stem).lower() in wanted:
                brought_by = _distribution(info)
                found.setdefault(_key(brought_by), brought_by.version)
    if lacking := wanted - found.keys():
        from importlib.metadata import PackageNotFoundError, version

        for name in lacking:
            with suppress(PackageNotFoundError):
                found[name] = version(name)
    return found


def _finds(finder: object) -> bool:
    return hasattr(finder, "find_distributions")


def _infos(folder: str) -> Iterator[str]:
    """Yield the folders of metadata in a folder of packages."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(_SUFFIXES)]
    except OSError:
        return
    if folder.rstrip("/\\").endswith(".egg"):
        names.append("EGG-INFO")
    yield from (os.path.join(folder, name) for name in names)


def _lines(info: str, prefix: str) -> Iterator[str]:
    for group in _SECTION.finditer(_text(info, "entry_points.txt")):
        for line in map(str.strip, group["body"].splitlines()):
            if line.startswith(prefix) and "=" in line and line[0] not in "#;":
                yield line


def _point(line: str, brought_by: Distribution) -> Point:
    name, _, value = line.partition("=")
    return Point(name.strip(), value.partition("[")[0].strip(), brought_by)


def _distribution(info: str) -> Distribution:
    head = (_text(info, "METADATA") or _text(info, "PKG-INFO")).partition("\n\n")[0]
    fields = {
        key: text.strip() for key, _, text in (one.partition(":") for one in head.split("\n"))
    }
    return Distribution(fields.get("Name", "unknown"), fields.get("Version", ""))


def _key(brought_by: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", brought_by.name).lower()


def _text(info: str, name: str) -> str:
    try:
        with open(os.path.join(info, name), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""
