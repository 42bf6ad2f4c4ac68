"""Fit the files of a new project between those of a folder, or name all conflicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from polster_core.adoption import additions, pyproject
from polster_core.errors import PlanError, PolsterError
from polster_core.model import layout
from polster_core.model.names import suggest_package_name
from polster_core.plan.definition import read
from polster_core.scaffold import pages
from polster_core.types import NewFile

_RUNTIME = PurePosixPath("src/polster_runtime")
_OWN_FOLDER = "put the project into a folder of its own:  polster init NAME"
Merge = Callable[[bytes, bytes], bytes]


def pages_there(root: Path, generated: Iterable[NewFile]) -> list[PurePosixPath]:
    """Return the pages of the project in whose place the folder has others."""
    return [
        file.path
        for file in generated
        if pages.is_page(file.path) and _differs(root, file) is not None
    ]


def adopt(root: Path, generated: Sequence[NewFile]) -> list[NewFile]:
    """Return the files to write: new ones, and those of the folder with what the project adds.

    Raises PlanError with all conflicts, before anything is written.
    """
    taken = [*_taken(root)]
    problems = [_sentence(path) for path in taken]
    hint = _other_package(root) if taken and taken != [_RUNTIME] else _OWN_FOLDER
    wanted: list[NewFile] = []
    merges = _merges(root)
    for file in generated:
        mine = _differs(root, file)
        if mine is None:
            wanted.append(file)
        elif merge := merges.get(str(file.path)):
            try:
                wanted.append(replace(file, text=merge(mine, file.content)))
            except PolsterError as error:
                problems += error.details or [error.reason]
                hint = error.hint or hint
        elif _is_theirs_to_choose(file.path):
            continue
        elif not any(map(file.path.is_relative_to, taken)):
            problems.append(f"{file.path} is there already")
    if problems:
        headline = f"{len(problems)} conflicts" if problems[1:] else problems[0]
        raise PlanError(
            f"{headline}; nothing was changed",
            details=problems if problems[1:] else (),
            hint=hint,
        )
    return wanted


def _differs(root: Path, file: NewFile) -> bytes | None:
    """Return the bytes of the file that is in the place of a generated one, if they are others."""
    if not (root / file.path).is_file():  # a folder of that name is the plan's to refuse
        return None
    mine = read(root / file.path)
    return None if mine == file.content else mine


def _merges(root: Path) -> Mapping[str, Merge]:
    return {
        "pyproject.toml": partial(pyproject.merged, root),
        ".gitignore": additions.patterns,
        ".env": additions.settings,
        ".env.example": additions.settings,
        "workspace.yaml": additions.code_locations,
    }


def _taken(root: Path) -> Iterator[PurePosixPath]:
    """Yield the places of our packages that others have."""
    used = layout.current()
    for folder in (used.core, used.assets.parent, _RUNTIME):
        if _has_something(root / folder):
            yield folder
        if (root / folder.with_suffix(".py")).exists():
            yield folder.with_suffix(".py")
    for name in sorted({*used.top_level, _RUNTIME.name}):
        if (root / f"{name}.py").exists():
            yield PurePosixPath(f"{name}.py")
        elif any((root / name).glob("*.py")):
            yield PurePosixPath(name)


def _is_theirs_to_choose(path: PurePosixPath) -> bool:
    """Whether it does not matter what is in a file, if there is one."""
    package = layout.current().package
    return path.name == ".gitkeep" or (
        bool(package) and path == layout.current().source / "__init__.py"
    )


def _other_package(root: Path) -> str:
    name = suggest_package_name(root.name)
    return f"put the code into a package of its own:  --package {name}"


def _has_something(folder: Path) -> bool:
    if not folder.is_dir():
        return folder.exists()
    return any(path.name != "__pycache__" for path in folder.iterdir())


def _sentence(taken: PurePosixPath) -> str:
    if taken.parts[0] == "src":
        return f"{taken} is there already"
    return f"{taken} would be imported in the place of src/{taken}"


__all__ = ["adopt", "pages_there"]
