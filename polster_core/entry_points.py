"""Whether anybody adds commands, told without `importlib.metadata`, which is slow to import.

`os.path` is here for the same reason: hundreds of folders are looked into at every start.
"""
# ruff: noqa: PTH113, PTH118, PTH123, PTH208

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder

_GROUP = re.compile(r"^\[polster\][^\S\n]*\n(?P<body>.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_SUFFIXES = (".dist-info", ".egg-info")


def may_begin_with(prefix: str, path: Iterable[str] | None = None) -> bool:
    """Whether an entry point of the group `polster` may have a name that begins so.

    Only what cannot be told from the metadata in plain folders (a zipped site-packages, somebody's
    own finder) counts as if it had. `path` is `sys.path` unless given.
    """
    if any(finder is not PathFinder and _finds(finder) for finder in sys.meta_path):
        return True
    for entry in sys.path if path is None else path:
        folder = entry or os.curdir
        if os.path.isfile(folder):
            return True
        if any(_has(text, prefix) for text in _texts(folder)):
            return True
    return False


def _finds(finder: object) -> bool:
    return hasattr(finder, "find_distributions")


def _texts(folder: str) -> Iterator[str]:
    """Yield the texts that declare the entry points of the distributions in a folder."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(_SUFFIXES)]
    except OSError:
        return
    if folder.rstrip("/\\").endswith(".egg"):
        names.append("EGG-INFO")
    for name in names:
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:
                yield file.read()
        except (OSError, UnicodeDecodeError):
            continue


def _has(text: str, prefix: str) -> bool:
    return any(
        line.strip().startswith(prefix)
        for group in _GROUP.finditer(text)
        for line in group["body"].splitlines()
    )
