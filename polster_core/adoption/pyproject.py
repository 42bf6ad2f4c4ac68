"""Merge the project's `pyproject.toml` into one that is there: only additions, at its ends.

What the file says stays. Requirements are united with its own, or refused; tools that it has
settings for keep them; whole tables that it lacks are put behind its last line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polster_core.adoption import backends, refusals
from polster_core.assets.pyproject import with_requirements
from polster_core.errors import PlanError, PolsterError
from polster_core.upgrade.merge.lines import newline_of

_HEADER = re.compile(r"\[+([^\]]+)\]+")
_NO_EDIT = "pyproject.toml is laid out in a way that cannot be edited"
_BOM = b"\xef\xbb\xbf"
_PYTEST, _RUFF = ("tool", "pytest", "ini_options"), ("tool", "ruff")
_SETTINGS_ELSEWHERE: Mapping[str, Sequence[str]] = {
    "tool.pytest": ("pytest.ini", ".pytest.ini"),
    "tool.ruff": ("ruff.toml", ".ruff.toml"),
    "tool.mypy": ("mypy.ini", ".mypy.ini"),
}
"""Files that a tool reads in the place of its table."""
_TOGETHER = ("tool.dagster", "tool.dg", "tool.mypy", "tool.pytest", "tool.ruff")
"""Tables that are left out with all that is below them where somebody has written one of them."""


def merged(root: Path, mine: bytes, new: bytes) -> bytes:
    """Return `mine` with what a project needs, in its own line ends.

    Raises PlanError with every reason why that cannot be.
    """
    mark, newline = (_BOM if mine.startswith(_BOM) else b""), newline_of(mine)
    text = mine[len(mark) :].replace(newline, b"\n").decode()
    wanted = tomllib.loads(new.decode())
    found = refusals.parsed(text)
    problems = [*refusals.of(found), *backends.problems(found, root)]
    if problems:
        hint = next((one.hint for one in problems if one.hint), None)
        raise PlanError(problems[0].reason, details=[one.reason for one in problems], hint=hint)
    after = _with_lists(text, found, wanted, root)
    sections = _sections(new.decode())
    left_out = [*_left_out(found, root)]
    added = [part for name, part in sections if not _is_there(name, found, left_out)]
    after = "\n\n".join([after.rstrip("\n"), *(part.strip("\n") for part in added)]).lstrip("\n")
    result = f"{after}\n"
    _check(found, result)
    return mark + result.encode().replace(b"\n", newline)


def _with_lists(text: str, found: Mapping[str, Any], wanted: Mapping[str, Any], root: Path) -> str:
    """Add to the lists of tables that are there."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if "dependencies" in found.get("project", {}):
        needed = wanted["project"]["dependencies"]
        text = with_requirements(text.encode(), needed, "Polster").decode()
    try:
        document = tomlkit.parse(text)
        if "project" in found:
            _complete_project(document["project"], found["project"], wanted["project"])
        if table := _at(document, _PYTEST):
            for key, items in _at(wanted, _PYTEST).items():
                if key == "pythonpath" or key in table:
                    _extend(table, key, items)
        if (table := _at(document, _RUFF)) is not None:
            _extend(table, "extend-exclude", _at(wanted, _RUFF).get("extend-exclude", []))
        if "build-system" in found:
            backends.add_packages(document, found, backends.packages(wanted), root)
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise PolsterError(f"pyproject.toml cannot be edited: {error}") from error


def _complete_project(table: Any, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in ("requires-python", "dependencies"):
        if key not in found:
            table.add(key, wanted[key])
    extras = table.get("optional-dependencies")
    if extras is None:
        return
    for extra, requirements in wanted["optional-dependencies"].items():
        if extra in extras:
            there = {_name(str(one)) for one in extras[extra]}
            extras[extra].extend([one for one in requirements if _name(one) not in there])
        else:
            extras.add(extra, requirements)


def _extend(table: Any, key: str, items: Iterable[str]) -> None:
    """Add to a list; what is no list is somebody's choice, and stays."""
    wanted = list(items)
    if key not in table:
        if wanted:
            table.add(key, wanted)
    elif isinstance(table[key], list):
        table[key].extend([item for item in wanted if item not in table[key]])


def _sections(text: str) -> list[tuple[str, str]]:
    """Split our file in front of its tables: the name and the lines of each."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if header := _HEADER.match(line):
            found.append((header[1].strip().replace('"', ""), []))
        if found:
            found[-1][1].append(line)
    return [(name, "\n".join(lines)) for name, lines in found]


def _left_out(found: Mapping[str, Any], root: Path) -> Iterator[str]:
    tool = found.get("tool", {})
    has = {prefix for prefix in _TOGETHER if prefix.removeprefix("tool.") in tool}
    if has & {"tool.dagster", "tool.dg"}:
        has |= {"tool.dagster", "tool.dg"}
    yield from has
    for prefix, names in _SETTINGS_ELSEWHERE.items():
        if any((root / name).exists() for name in names):
            yield prefix
    if "build-system" in found:
        yield "tool.hatch"


def _is_there(name: str, found: Mapping[str, Any], left_out: Sequence[str]) -> bool:
    if any(name == prefix or name.startswith(f"{prefix}.") for prefix in left_out):
        return True
    if name.startswith("project.entry-points."):
        groups = found.get("project", {}).get("entry-points", {})
        return name.removeprefix("project.entry-points.") in groups
    return bool(_at(found, tuple(name.split("."))))


def _at(table: Any, keys: Sequence[str]) -> Any:
    """Return what is at a path of keys; `None` where there is nothing."""
    for key in keys:
        if not isinstance(table, Mapping) or key not in table:
            return None
        table = table[key]
    return table


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0].lower()


def _check(before: Mapping[str, Any], text: str) -> None:
    """Raise PolsterError unless the text can be read and has all that was there."""
    try:
        after = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolsterError(
            f"pyproject.toml is laid out in a way that cannot be edited: {error}"
        ) from error
    if not _holds(after, before):
        raise PolsterError("pyproject.toml is laid out in a way that cannot be edited")


def _holds(after: Any, before: Any) -> bool:
    if isinstance(before, Mapping):
        return isinstance(after, Mapping) and all(
            key in after and _holds(after[key], value) for key, value in before.items()
        )
    if isinstance(before, list):
        return isinstance(after, list) and len(after) >= len(before)
    return bool(after == before)


__all__ = ["merged"]
