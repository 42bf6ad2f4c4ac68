"""What a contribution needs, in the project's `pyproject.toml`: packages, parts of the runtime."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from polster_core import delivery
from polster_core.assets.copies import check_current
from polster_core.errors import PolsterError
from polster_core.model.requirements import united
from polster_core.plan.definition import read
from polster_core.plugins.required import SETTING
from polster_core.project.locate import Project
from polster_core.types import NewFile, RuntimePart

PATH = PurePosixPath("pyproject.toml")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def added(
    project: Project,
    requirements: Sequence[str],
    parts: Sequence[RuntimePart] = (),
    *,
    origin: str = "",
    needs: Iterable[str] = (),
    install: str = "",
) -> Iterator[NewFile]:
    """Yield what gives a project requirements and parts of the runtime that it lacks.

    `needs` are the distributions of plugins that the project cannot do without from now on, and
    `install` is what pipelines shall install for `polster validate`, unless the file says so.
    That is `pyproject.toml`, and the files of the parts where the project holds its runtime as
    code. What is required already stays as it is where that is enough; else its extras and bounds
    are united with those of the plugin `origin`. Raises PolsterError where the file does not list
    dependencies in the standard way (PEP 621), and where the runtime of the project has another
    version than the parts; PluginError where no version fits both.
    """
    who = f"the plugin {origin}" if origin else "a plugin"
    before = read(project.root / PATH) or b""
    if delivery.of(_parsed(before)) == "package":
        needed = [*requirements, *(part.requirement for part in parts if part.requirement)]
        after = with_requirements(before, needed, who) if needed else before
    else:
        after = with_requirements(before, requirements, who) if requirements else before
        check_current(project, delivery.part_files(parts), origin=origin)
        if files := [*_missing(project, parts)]:
            delivery.check_version(project.root)
            yield from files
        after = with_parts(after, parts) if parts else after
    after = with_install(with_plugins(after, needs), install)
    if after != before:
        yield NewFile(path=PATH, text=after)


def delivery_of(project: Project) -> delivery.Delivery:
    """Return how a project gets its runtime."""
    return delivery.of(_parsed(read(project.root / PATH) or b""))


def gained(project: Project, wanted: Iterable[NewFile]) -> list[str]:
    """Return the requirements that the project does not have yet, and would have with the files."""
    before = _listed(read(project.root / PATH) or b"")
    after = next((_listed(file.content) for file in wanted if file.path == PATH), [])
    return [requirement for requirement in after if requirement not in before]


def names(data: bytes) -> set[str]:
    """Return the normalized names of the packages that a `pyproject.toml` requires."""
    return {name_of(requirement) for requirement in _listed(data)}


def _listed(data: bytes) -> list[str]:
    table = _parsed(data).get("project")
    listed = table.get("dependencies", []) if isinstance(table, dict) else []
    return [str(requirement) for requirement in listed]


def _missing(project: Project, parts: Sequence[RuntimePart]) -> Iterator[NewFile]:
    for file in delivery.part_files(parts):
        if read(project.root / file.path) is None:
            yield file


def _parsed(data: bytes) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolsterError(f"{PATH} cannot be read: {error}") from error


def with_parts(data: bytes, parts: Sequence[RuntimePart]) -> bytes:
    """Return a `pyproject.toml` with the entry points and packages of parts; all else stays.

    Raises PolsterError where the file cannot be edited.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = data.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        for group, names in delivery.entry_points(parts).items():
            tables: Any = document["project"].setdefault(
                "entry-points", tomlkit.table(is_super_table=True)
            )
            if group in tables:
                for name, package in names.items():
                    tables[group].setdefault(name, package)
            else:
                tables[group] = tomlkit.table()
                tables[group].update(names)
                tables[group].add(tomlkit.nl())
        listed = document.get("tool", {}).get("hatch", {}).get("build", {})
        listed = listed.get("targets", {}).get("wheel", {}).get("packages")
        for folder in delivery.packages(parts):
            if listed is not None and folder not in listed:
                listed.append(folder)
    except (TOMLKitError, TypeError, KeyError) as error:
        raise PolsterError(f"{PATH} cannot be edited: {error}") from error
    return data[: len(data) - len(text.encode())] + tomlkit.dumps(document).encode()


def with_requirements(data: bytes, requirements: Iterable[str], who: str = "a plugin") -> bytes:
    """Return a `pyproject.toml` with requirements added; all else stays as it was.

    A package that is there already gets what `who` needs of it besides. Raises PolsterError where
    there is no list to add them to, and PluginError where no version fits both.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    wanted = list(requirements)
    text = data.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        listed = document["project"]["dependencies"]
        there = {name_of(str(item)): index for index, item in enumerate(listed)}
    except (TOMLKitError, TypeError) as error:
        raise _cannot(wanted) from error
    for requirement in wanted:
        if (index := there.get(name_of(requirement))) is not None:
            before = str(listed[index])
            both = united((f"{PATH}", before), (who, requirement))
            if both != before:
                listed[index] = both
    for requirement in wanted:
        if name_of(requirement) not in there:
            index = _place([str(item) for item in listed], requirement)
            listed.insert(index, requirement)
    return data[: len(data) - len(text.encode())] + tomlkit.dumps(document).encode()


def with_plugins(data: bytes, distributions: Iterable[str]) -> bytes:
    """Return a `pyproject.toml` that names the plugins that a project needs; all else stays.

    One that is named already stays as it is. Raises PolsterError where it cannot be edited.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = data.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        table: Any = document.get("tool", {}).get("polster")
        if table is None:
            return data
        key = next((one for one in (SETTING, SETTING.replace("_", "-")) if one in table), SETTING)
        listed = table.get(key, [])
        there = {name_of(str(one)) for one in listed}
        new = [one for one in distributions if name_of(one) not in there]
        if not new:
            return data
        if key in table:
            listed.extend(new)
        else:
            table.add(key, new)
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise PolsterError(f"{PATH} cannot be edited: {error}") from error
    return data[: len(data) - len(text.encode())] + tomlkit.dumps(document).encode()


def with_install(data: bytes, install: str) -> bytes:
    """Return a `pyproject.toml` that says what pipelines install; one that does stays as it is."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if not install or installs(data):
        return data
    text = data.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        document["tool"]["polster"].add("install", install)
    except (TOMLKitError, TypeError, KeyError, AttributeError) as error:
        raise PolsterError(f"{PATH} cannot be edited: {error}") from error
    return data[: len(data) - len(text.encode())] + tomlkit.dumps(document).encode()


def installs(data: bytes) -> str:
    """Return what pipelines install for `polster validate`; "" where the file does not say."""
    tool = _parsed(data).get("tool")
    table = tool.get("polster") if isinstance(tool, dict) else None
    return str(table.get("install", "")) if isinstance(table, dict) else ""


def without(data: bytes, name: str) -> bytes:
    """Return a `pyproject.toml` that does not depend on a package; all else stays as it was.

    Raises PolsterError where the file cannot be edited.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = data.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        listed = document["project"]["dependencies"]
        for index in reversed(range(len(listed))):
            if name_of(str(listed[index])) == name:
                del listed[index]
    except (TOMLKitError, TypeError, KeyError) as error:
        raise PolsterError(f"{PATH} cannot be edited: {error}") from error
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
