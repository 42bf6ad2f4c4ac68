"""The files of a project in which people write: its code and its documents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from polster_core.model.ownership import RUNTIME
from polster_core.plan.definition import read

CODE = frozenset({".py"})
PROSE = frozenset({".md", ".rst", ".txt", ".yml", ".yaml", ".toml", ".cfg", ".ini"})
OTHERS = frozenset({".ipynb", ".sql", ".json", ".sh"})
"""Files that may mention an asset as well, but that are not edited."""
ALL = CODE | PROSE | OTHERS
_HIDDEN = frozenset({".github", ".gitlab", ".gitlab-ci.yml", ".azure", ".pre-commit-config.yaml"})
_NOT_OURS = frozenset({"data", "node_modules", "__pycache__", "build", "dist", "site-packages"})
_LARGEST = 2_000_000
"""Bytes: what is longer was not written by hand."""


def files(root: Path, suffixes: frozenset[str]) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the files with these suffixes and their content.

    Hidden folders, environments, data and the runtime, whose examples are no assets, are left out;
    of hidden files and folders only those of CI platforms count. A folder that is there twice,
    through a link, counts once: as `src` or `tests`, if that is the link.
    """
    seen: set[str] = set()
    for start in (root / "src", root / "tests", root):
        for folder, folders, names in os.walk(start, followlinks=True):
            here = Path(folder)
            folders[:] = sorted(name for name in folders if _is_ours(root, here / name, seen))
            for name in sorted(names):
                content = _content(here / name, suffixes)
                if content is not None:
                    yield PurePosixPath((here / name).relative_to(root).as_posix()), content
        seen.add(os.path.realpath(start))


def _is_ours(root: Path, folder: Path, seen: set[str]) -> bool:
    if folder == root / RUNTIME:
        return False
    if folder.name in _NOT_OURS or (folder.name.startswith(".") and folder.name not in _HIDDEN):
        return False
    real = os.path.realpath(folder)
    if real in seen or (folder / "pyvenv.cfg").exists():
        return False
    if folder.is_symlink():
        return Path(real).is_relative_to(root.resolve()) and not root.resolve().is_relative_to(real)
    return True


def _content(path: Path, suffixes: frozenset[str]) -> bytes | None:
    if path.suffix not in suffixes or (path.name.startswith(".") and path.name not in _HIDDEN):
        return None
    try:
        return read(path) if path.stat().st_size <= _LARGEST else None
    except OSError:  # a link to nowhere
        return None
