"""The plugins that a project needs: `required_plugins` in `[tool.polster]`, and which are missing.

Looked at by every command that works in a project, so without `importlib.metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from polster_core.errors import PolsterError
from polster_core.plugins import discovery
from polster_core.plugins.origin import normalized

SETTING = "required_plugins"
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(.*)", re.DOTALL)


def required(settings: Mapping[str, Any]) -> list[str]:
    """Return the distributions that a project needs, as PEP 508 names them.

    Raises PolsterError if the setting is no list of requirements.
    """
    found = settings.get(SETTING, settings.get(SETTING.replace("_", "-"), []))
    if isinstance(found, list) and all(isinstance(o, str) and _NAME.fullmatch(o) for o in found):
        return list(found)
    raise PolsterError(
        f"pyproject.toml: {SETTING} in [tool.polster] is no list of distributions",
        hint=f'for example  {SETTING} = ["polster-plugin-s3>=0.2"]',
    )


def missing(settings: Mapping[str, Any]) -> list[str]:
    """Return those of the required plugins that are not installed, or in another version."""
    wanted = required(settings)
    if not wanted:
        return []
    there = discovery.versions({_name(one) for one in wanted})
    return [one for one in wanted if not _fits(one, there.get(_name(one)))]


def names(settings: Mapping[str, Any]) -> set[str]:
    """Return the normalized names of the required plugins' distributions."""
    return {_name(one) for one in required(settings)}


def said(lacking: Iterable[str]) -> tuple[str, str]:
    """Return a sentence about plugins that are missing, and what to do."""
    listed = list(lacking)
    are = "is" if len(listed) == 1 else "are"
    return (
        f"{' and '.join(listed)} {are} not installed, and this project needs {_it(listed)}",
        f"polster plugins install {' '.join(_name(one) for one in listed)}",
    )


def _it(listed: list[str]) -> str:
    return "it" if len(listed) == 1 else "them"


def _name(requirement: str) -> str:
    found = _NAME.fullmatch(requirement)
    return normalized(found[1]) if found else ""


def _fits(requirement: str, version: str | None) -> bool:
    if version is None:
        return False
    found = _NAME.fullmatch(requirement)
    if found is None or not found[2].strip():
        return True
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(requirement).specifier.contains(version, prereleases=True)
    except InvalidRequirement as error:
        raise PolsterError(
            f"pyproject.toml: {SETTING} in [tool.polster] has {requirement!r}, which is no "
            "requirement of a distribution",
            hint=f'for example  {SETTING} = ["polster-plugin-s3>=0.2"]',
        ) from error


__all__ = ["SETTING", "missing", "names", "required", "said"]
