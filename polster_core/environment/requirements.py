"""What a project's `pyproject.toml` asks an installer for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

DEV = "dev"
"""The extra, or the group of dependencies, that development needs."""


def of(root: Path, *, python: str = "") -> dict[str, SpecifierSet]:
    """Return the dependencies of a project, by normalized name.

    Those that only another version of Python needs (or another system) are left out, and so is what
    cannot be read.
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    here = {"python_version": python, "python_full_version": f"{python}.0"} if python else {}
    found: dict[str, SpecifierSet] = {}
    for text in _list(_table(_parsed(root), "project").get("dependencies")):
        try:
            one = Requirement(text)
        except InvalidRequirement:
            continue
        if one.url is None and (one.marker is None or one.marker.evaluate(here)):
            found[canonicalize_name(one.name)] = one.specifier
    return found


def has_dev_extra(root: Path) -> bool:
    """Whether the project has an extra `dev`; it may have a group instead."""
    return DEV in _table(_table(_parsed(root), "project").get("optional-dependencies"))


def dev_group(root: Path) -> list[str]:
    """Return the requirements of `[dependency-groups] dev`, with those of groups in it."""
    return list(dict.fromkeys(_group(_table(_parsed(root), "dependency-groups"), DEV, ())))


def workspace_of(root: Path) -> Path | None:
    """Return the root of the uv workspace that a project is a member of."""
    if "workspace" in _uv(root):
        return None  # it is the root itself, and has its own environment
    for folder in root.parents:
        if isinstance(found := _uv(folder).get("workspace"), dict):
            path = root.relative_to(folder).parts
            is_member = _is_in(path, found.get("members"))
            return folder if is_member and not _is_in(path, found.get("exclude")) else None
    return None


def is_of_polster(folder: Path) -> bool:
    """Whether a folder is a Polster project."""
    return "polster" in _table(_parsed(folder), "tool")


def _uv(folder: Path) -> Mapping[str, Any]:
    return _table(_table(_parsed(folder), "tool").get("uv"))


def _is_in(path: tuple[str, ...], patterns: object) -> bool:
    return any(
        fnmatchcase("/".join(path), pattern)
        and ("**" in pattern or len(Path(pattern).parts) == len(path))
        for pattern in _list(patterns)
    )


def _group(groups: Mapping[str, Any], name: str, around: tuple[str, ...]) -> Iterator[str]:
    for one in groups.get(name) or ():
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict) and (other := one.get("include-group")) not in (*around, name):
            yield from _group(groups, str(other), (*around, name))


def _parsed(folder: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _table(found: object, *names: str) -> Mapping[str, Any]:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _list(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
