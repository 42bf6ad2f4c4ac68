"""One `workspace.yaml` for several projects: one webserver, one daemon, one lineage.

Each project keeps its folder and its environment. `[tool.polster] workspace` of a project names the
file, so that its runs are recorded in the history beside that, which all of them share.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from polster_core.adoption import additions
from polster_core.environment import venv
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model import layout
from polster_core.model.pipeline import Pipeline
from polster_core.plan.definition import Plan, draft, read
from polster_core.project.locate import Project, is_project
from polster_core.project.others import Other, read_other
from polster_core.project.repository import top_of
from polster_core.types import NewFile

NAME = "workspace.yaml"
_PYPROJECT = "pyproject.toml"
_EMPTY = b"load_from: []\n"
_IGNORED = "# Dagster's history of all projects\n*\n!.gitignore\n!dagster.yaml\n"
_KEYS = re.compile(r"(location_name|working_directory|executable_path):[ \t]*[\"']?([^\"'\n#]+)")


@dataclass(frozen=True)
class Location:
    """A code location of a workspace; `folder` is None for one that names no folder."""

    name: str
    folder: Path | None


def usual_file(root: Path) -> Path:
    """Return the file for a project: at the top of its repository, or in the folder above it.

    A repository of the project alone has no place for others: there, too, it is the folder above.
    """
    top = top_of(root)
    return (root.parent if top is None or _same(top, root) else top) / NAME


def named_in(project: Project) -> Path | None:
    """Return the file that a project's settings name; `None` where they name none."""
    named = project.settings.get("workspace")
    return Path(os.path.normpath(project.root / named)) if isinstance(named, str) else None


def locations(file: Path) -> list[Location]:
    """Return the code locations of a file; none where there is no file."""
    found = []
    for _, _, text in additions.location_blocks(_bytes(file) or b""):
        known = {name: value.strip() for name, value in _KEYS.findall(text)}
        folder = known.get("working_directory")
        place = Path(os.path.normpath(file.parent / folder)) if folder else None
        found.append(Location(known.get("location_name", "?"), place))
    return found


def added(file: Path, project: Project, prefix: str | None) -> Plan:
    """Plan to add a project to a file. Raises PolsterError where it would collide with another."""
    there = locations(file)
    if any(one.folder and _same(one.folder, project.root) for one in there):
        raise UsageProblem(f"{project.name} is in {_shown(file)} already")
    if _same(file.parent, project.root):
        raise UsageProblem(
            f"{_shown(file)} is that of the project {project.name} alone",
            hint=f"name one in a folder above it: --file ../{NAME}",
        )
    if any(one.name == project.name for one in there):
        raise UsageProblem(
            f"{_shown(file)} has a code location {project.name} already",
            hint="rename one of the two projects: [project] name in its pyproject.toml",
        )
    own = prefix if prefix is not None else str(project.settings.get("key-prefix", ""))
    _refuse_collisions(there, project, own)
    settings = {"workspace": _relative(file, project.root)}
    settings |= {} if prefix is None else {"key-prefix": prefix}
    before = _bytes(file)
    new = _location(file.parent, project).encode()
    wanted = [
        (file, new if before in {None, _EMPTY} else additions.code_locations(before or b"", new)),
        (project.root / _PYPROJECT, _with_settings(project, settings)),
        *_home(file.parent, project),
    ]
    return _drafted(file, project, wanted, "workspace add")


def removed(file: Path, project: Project) -> Plan:
    """Plan to take a project out of a file. Raises UsageProblem where it is not in it."""
    before = _bytes(file) or b""
    blocks = additions.location_blocks(before)
    mine = [
        block
        for block, one in zip(blocks, locations(file), strict=True)
        if one.folder and _same(one.folder, project.root)
    ]
    if not mine:
        raise UsageProblem(
            f"{project.name} is not in {_shown(file)}",
            hint="see what is:  polster workspace list",
        )
    lines = before.splitlines(keepends=True)
    kept = b"".join(lines[: mine[0][0]] + lines[mine[0][1] :])
    if len(blocks) == 1:
        kept = _EMPTY
    wanted = [(file, kept), (project.root / _PYPROJECT, _with_settings(project, {}))]
    return _drafted(file, project, wanted, "workspace remove")


def _drafted(
    file: Path, project: Project, wanted: Sequence[tuple[Path, bytes]], command: str
) -> Plan:
    top = Path(os.path.commonpath([file.parent.resolve(), project.root.resolve()]))
    files = [
        NewFile(path=PurePosixPath(PurePath(os.path.relpath(path, top)).as_posix()), text=text)
        for path, text in wanted
    ]
    return draft(top, files, command=command)


def _location(folder: Path, project: Project) -> str:
    """Return a workspace with this project alone; paths are those from its folder."""
    python = venv.python(project.root)  # the link itself: where it leads, nothing is installed
    lines = {
        "module_name": layout.current().module("orchestration.definitions"),
        "location_name": project.name,
        "working_directory": _relative(project.root, folder),
        "executable_path": f"{_relative(python.parent, folder)}/{python.name}",
    }
    text = "".join(f"      {name}: {value}\n" for name, value in lines.items())
    return f"load_from:\n  - python_module:\n{text}"


def _home(folder: Path, project: Project) -> Iterator[tuple[Path, bytes]]:
    """Yield what the common history needs: its settings, and what git is not to keep."""
    home = folder / ".dagster"
    if not (home / "dagster.yaml").exists():
        own = read(project.root / ".dagster" / "dagster.yaml")
        if own is not None:
            yield home / "dagster.yaml", own
    if not (home / ".gitignore").exists():
        yield home / ".gitignore", _IGNORED.encode()


def _refuse_collisions(there: Sequence[Location], project: Project, prefix: str) -> None:
    """Raise PolsterError where an asset of another project has the same key."""
    own = read_other(project.root)
    for one in there:
        other = read_other(one.folder) if one.folder and is_project(one.folder) else None
        if other is None or own is None or other.key_prefix != prefix:
            continue
        both = sorted(_keys(own.pipeline) & _keys(other.pipeline))
        if both:
            more = f" and {len(both) - 1} more" if len(both) > 1 else ""
            raise PolsterError(
                f"{other.name} and {project.name} both have {both[0]}{more}",
                hint=f"give one of them a prefix:  --key-prefix {_word(own)}",
            )


def _keys(pipeline: Pipeline) -> set[str]:
    return {*pipeline.by_key, *(one.key for one in pipeline.others)}


def _word(own: Other) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", own.name)


def _with_settings(project: Project, given: dict[str, str]) -> bytes:
    """Return `pyproject.toml` with settings in `[tool.polster]`; without `workspace` if not given.

    Raises PolsterError for a file that cannot be edited.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = (project.root / _PYPROJECT).read_bytes().decode()
    try:
        document = tomlkit.parse(text)
        table = document.setdefault("tool", {}).setdefault("polster", {})
        for name in {"workspace"} - given.keys():
            table.pop(name, None)
        for name, value in given.items():
            table[name] = value
        return tomlkit.dumps(document).encode()
    except (TOMLKitError, AttributeError) as error:
        raise PolsterError(f"{project.root / _PYPROJECT} cannot be edited: {error}") from error


def _relative(path: Path, start: Path) -> str:
    """Return a path from a folder, with slashes."""
    real = Path(os.path.realpath(path))
    try:
        return PurePath(os.path.relpath(real, os.path.realpath(start))).as_posix()
    except ValueError:  # on another drive of Windows
        return real.as_posix()


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _shown(file: Path) -> str:
    return os.path.relpath(file)


def _bytes(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


__all__ = ["NAME", "Location", "added", "locations", "named_in", "removed", "usual_file"]
