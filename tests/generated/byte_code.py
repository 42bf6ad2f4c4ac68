"""Byte code of installed packages, lent to an environment that a test has made.

Python compiles what it imports in each new environment: ten seconds for Dagster and Polars, every
time. The shared environment has the same files compiled already. Where a file is the same, byte for
byte, its byte code is linked into the new environment; all else Python compiles as ever.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterator
from pathlib import Path

from tests.generated import types_known


def lend(runtime: Path, python: Path) -> int:
    """Link the byte code of one environment's packages into another's; return how many files.

    `runtime` and `python` are the Pythons of the two. Byte code counts only for a source of the
    time that is written in it, so an equal file gets the other's time. So is what mypy knows.
    """
    types_known.lend(runtime, python)
    lent = 0
    theirs, ours = _packages(runtime), _packages(python)
    for cache in _caches(theirs, ours):
        folder = ours / cache.relative_to(theirs).parent
        (folder / cache.name).mkdir(exist_ok=True)
        for compiled in cache.iterdir():
            name = f"{compiled.name.partition('.')[0]}.py"
            source, target = cache.parent / name, folder / name
            link = folder / cache.name / compiled.name
            if not link.exists() and _same(source, target):
                os.link(compiled, link)
                lent += 1
    return lent


def _packages(python: Path) -> Path:
    (found,) = python.parents[1].glob("lib/python*/site-packages")
    return found


def _caches(theirs: Path, ours: Path) -> Iterator[Path]:
    """Yield the folders of byte code that the other environment has a place for."""
    for root, folders, _ in os.walk(theirs):
        here = Path(root)
        folders[:] = [name for name in folders if (ours / here.relative_to(theirs)).is_dir()]
        if "__pycache__" in folders:
            yield here / "__pycache__"
            folders.remove("__pycache__")


def _same(source: Path, target: Path) -> bool:
    """Whether two sources are the same; the second gets the time of the first."""
    if not source.is_file() or not target.is_file():
        return False
    if source.samefile(target):
        return True
    if not filecmp.cmp(source, target, shallow=False):
        return False
    made = source.stat()
    os.utime(target, ns=(made.st_atime_ns, made.st_mtime_ns))
    return True
