"""Remember which commands plugins add, so that `polster --help` need not import them.

What is remembered counts for the same plugins in the same versions, for as long as the files that
their entry points name are as they were. Where anything is in doubt, the plugins are asked.
"""
# ruff: noqa: PTH118, PTH123 - `os.path` starts faster than `pathlib`

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.machinery import PathFinder

import polster_core
from polster_core.cli.added import Added
from polster_core.plugins.discovery import Point

_FILE = "commands.json"


def read(points: Iterable[Point], own: Iterable[str]) -> dict[str, Added] | None:
    """Return the commands of plugins, or `None` where they have to be asked."""
    key = _key(points, own)
    if key is None:
        return None
    try:
        with open(_path(), encoding="utf-8") as file:
            found = json.load(file)
        if found["key"] != key:
            return None
        return {one[0]: Added(*map(str, one)) for one in found["commands"]}
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def write(points: Iterable[Point], own: Iterable[str], commands: Mapping[str, Added]) -> None:
    """Remember the commands of plugins; where that cannot be, they are asked again."""
    key = _key(points, own)
    if key is None:
        return
    path = _path()
    part = f"{path}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(part, "w", encoding="utf-8") as file:
            json.dump({"key": key, "commands": list(commands.values())}, file)
        os.replace(part, path)  # noqa: PTH105


def _key(points: Iterable[Point], own: Iterable[str]) -> list[str] | None:
    """Say what the answer depends on; `None` where that cannot be told without imports."""
    found = [polster_core.__version__, os.environ.get("POLSTER_DISABLE_PLUGINS", ""), *own]
    for point in sorted(points):
        module = point.value.partition(":")[0]
        spec = None if "." in module else PathFinder.find_spec(module)
        if spec is None or not spec.origin:
            return None
        try:
            changed = os.stat(spec.origin).st_mtime_ns  # noqa: PTH116
        except OSError:
            return None
        found += [point.name, point.value, *point.dist, spec.origin, str(changed)]
    return found


def _path() -> str:
    home = os.path.expanduser("~")  # noqa: PTH111
    if sys.platform == "win32":
        folder = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        folder = os.path.join(home, "Library", "Caches")
    else:
        folder = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(folder, "polster", _FILE)


__all__ = ["read", "write"]
