"""Why a `pyproject.toml` cannot take a project in; each reason is a sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from polster_core.errors import PolsterError
from polster_core.model.names import distribution_problem

_OLDEST, _TESTED = "3.11", ("3.11", "3.12", "3.13", "3.14")
_TOO_OLD = tuple(f"3.{minor}" for minor in range(11))
APART = "or put the project into a folder of its own:  polster init NAME"


@dataclass(frozen=True)
class Refusal:
    """What is wrong, and what to do about it."""

    reason: str
    hint: str = ""


def parsed(text: str) -> dict[str, Any]:
    """Read a `pyproject.toml`; raises PolsterError with the line that cannot be read."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolsterError(
            f"pyproject.toml cannot be read: {error}", hint="correct it, then try again"
        ) from error


def of(found: Mapping[str, Any]) -> Iterator[Refusal]:
    """Yield what keeps the dependencies of a project out of the file."""
    tool = found.get("tool", {})
    project = found.get("project")
    if "polster" in tool:
        yield Refusal("pyproject.toml has [tool.polster] already")
    if project is None:
        yield from _without_project(tool)
        return
    if not isinstance(project, dict) or "name" not in project:
        yield Refusal("pyproject.toml has a [project] without a name", 'add  name = "..."')
        return
    if problem := distribution_problem(str(project["name"])):
        yield Refusal(
            f'pyproject.toml says name = "{project["name"]}", and {problem}',
            f"choose another name, {APART}",
        )
    dynamic = project.get("dynamic", [])
    for key in ("dependencies", "optional-dependencies", "entry-points"):
        if key in dynamic:
            yield Refusal(
                f"pyproject.toml says that its {key} are dynamic: nothing can be added to them",
                f"list them in [project], {APART}",
            )
    if tool.get("uv", {}).get("package") is False:
        yield Refusal(
            "pyproject.toml says [tool.uv] package = false, and a Polster project is installed",
            f"take that line out, {APART}",
        )
    yield from _of_python(str(project.get("requires-python", f">={_OLDEST}")))


def _without_project(tool: Mapping[str, Any]) -> Iterator[Refusal]:
    if "poetry" in tool:
        yield Refusal(
            "pyproject.toml keeps its dependencies in [tool.poetry], where only Poetry reads them",
            f"move them to [project], as Poetry 2 has them, {APART}",
        )
    elif "workspace" in tool.get("uv", {}):
        yield Refusal(
            "pyproject.toml is the root of a uv workspace and no project itself",
            "make a member of it:  polster init packages/NAME",
        )


def _of_python(requires: str) -> Iterator[Refusal]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(requires)
    except InvalidSpecifier:
        yield Refusal(f'pyproject.toml: requires-python = "{requires}" cannot be read')
        return
    old = [version for version in _TOO_OLD if allowed.contains(f"{version}.99")]
    if old or not any(allowed.contains(f"{version}.1") for version in _TESTED):
        yield Refusal(
            f'pyproject.toml says requires-python = "{requires}", '
            f"and the project needs Python {_OLDEST} or newer",
            f'write  requires-python = ">={_OLDEST}", {APART}',
        )


__all__ = ["APART", "Refusal", "of", "parsed"]
