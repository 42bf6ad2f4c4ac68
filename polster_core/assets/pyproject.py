"""The packages that a template needs, in the project's `pyproject.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from polster_core.errors import PolsterError
from polster_core.plan.definition import read
from polster_core.project.locate import Project
from polster_core.types import NewFile

PATH = PurePosixPath("pyproject.toml")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def added(project: Project, requirements: Sequence[str]) -> Iterator[NewFile]:
    """Yield `pyproject.toml` with those requirements that it lacks.

    A package that is required already stays as it is, whatever its version. Raises PolsterError
    where the file does not list dependencies in the standard way (PEP 621).
    """
    before = read(project.root / PATH)
    if requirements:
        yield NewFile(path=PATH, text=with_requirements(before or b"", requirements))


def with_requirements(data: bytes, requirements: Iterable[str]) -> bytes:
    """Return a `pyproject.toml` with requirements added; all else stays as it was.

    Raises PolsterError where there is no list to add them to.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    wanted = list(requirements)
    text = data.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        listed = document["project"]["dependencies"]
        there = {name_of(str(item)) for item in listed}
    except (TOMLKitError, TypeError) as error:
        raise _cannot(wanted) from error
    for requirement in wanted:
        if name_of(requirement) not in there:
            index = _place([str(item) for item in listed], requirement)
            listed.insert(index, requirement)
    return data[: len(data) - len(text.encode())] + tomlkit.dumps(document).encode()


def name_of(requirement: str) -> str:
    """Return the normalized name of a requirement's package (PEP 503); "" if it has none."""
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found else ""


def _place(listed: Sequence[str], requirement: str) -> int:
    """Return where it belongs in a sorted list, or the end of any other."""
    names = [item.casefold() for item in listed]
    if names != sorted(names):
        return len(names)
    return sum(name < requirement.casefold() for name in names)


def _cannot(wanted: Sequence[str]) -> PolsterError:
    return PolsterError(
        f"{PATH} has no list of dependencies to add {', '.join(wanted)} to",
        hint='write one:  [project] dependencies = ["..."]',
    )
