"""The conflicts of a plan: all of them, not only the first."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath

from polster_core.types import NewFile

_RESERVED = frozenset({".polster", ".venv"})
_GIT = frozenset({".git", "git~1"})
_DATA = "data"
"""The folder that may be a link to another disk."""


def of_paths(wanted: Iterable[NewFile]) -> list[str]:
    """List what is wrong with the wanted paths themselves, whatever is on disk.

    Upper and lower case count as equal, since they are on Windows and macOS.
    """
    problems: list[str] = []
    seen: dict[str, NewFile] = {}
    for file in wanted:
        if problem := outside(file.path):
            problems.append(f"{problem}{_asked_by(file)}")
        elif other := seen.get(_key(file.path)):
            problems.append(_two_writers(other, file))
        else:
            seen[_key(file.path)] = file
    for file in seen.values():
        above = (seen.get(_key(parent)) for parent in file.path.parents)
        problems.extend(_two_writers(other, file) for other in above if other)
    return problems


def of_removals(
    root: Path,
    wanted: Sequence[NewFile],
    deleted: Sequence[PurePosixPath],
    moved: Mapping[PurePosixPath, PurePosixPath],
) -> Iterator[str]:
    """Yield what is wrong with the paths that go away, and with those that they go to."""
    leaving = [*deleted, *moved]
    yield from filter(None, map(outside, (*leaving, *moved.values())))
    yield from _leaving_through_links(root, leaving)
    yield from (f"{path} is removed twice" for path, n in Counter(leaving).items() if n > 1)
    yield from (f"{path} does not exist" for path in leaving if not os.path.lexists(root / path))
    for file in wanted:
        if not {file.path, *file.path.parents}.isdisjoint(leaving):
            yield f"{file.path} is both written and removed{_asked_by(file)}"
    for old, new in moved.items():
        if os.path.lexists(root / new):
            yield f"{new} is there already; {old} cannot take its name"
    yield from (
        f"{n} files would become {new}" for new, n in Counter(moved.values()).items() if n > 1
    )


def on_disk(
    root: Path, wanted: Iterable[NewFile], leaving: Iterable[PurePosixPath]
) -> Iterator[str]:
    """Yield what on disk keeps files from being written or removed."""
    inside = [file for file in wanted if not outside(file.path)]
    yield from chain.from_iterable(_conflicts(root, file) for file in inside)
    for path in leaving:
        if (root / path).is_file() and _is_protected(root / path):
            yield f"{path} is write-protected"


def _conflicts(root: Path, file: NewFile) -> Iterator[str]:
    target = root / file.path
    if target.is_symlink() and not target.exists():
        yield f"{file.path} is a link to a file that does not exist"
    elif target.is_dir():
        yield f"{file.path} is a folder, and a file of that name is wanted"
    elif target.exists() and _is_protected(target) and target.read_bytes() != file.content:
        yield f"{file.path} is write-protected"
    for parent in file.path.parents:
        if (root / parent).exists() and not (root / parent).is_dir():
            yield f"{parent} is a file, and a folder of that name is wanted"
    if problem := leads_out(root, file.path):
        yield problem


def leads_out(root: Path, path: PurePosixPath) -> str | None:
    """Say where a path leads if links lead it out of the project."""
    target = (root / path).resolve()
    inside = target.is_relative_to(root.resolve())
    return None if inside else f"{path} leads out of the project, to {target}"


def folder_leads_out(root: Path, path: PurePosixPath) -> str | None:
    """Say where a folder is if it is not in the project; data may be on another disk."""
    return None if path.parts[0] == _DATA else leads_out(root, path.parent)


def _leaving_through_links(root: Path, leaving: Iterable[PurePosixPath]) -> Iterator[str]:
    """Yield the paths that are reached through a link to somewhere else: they are not ours."""
    for path in leaving:
        if not outside(path) and (problem := folder_leads_out(root, path)):
            yield problem


def outside(path: PurePosixPath) -> str | None:
    """Say why a path cannot be one of the project's, on any platform."""
    if path.is_absolute() or ".." in path.parts or any(":" in p or "\\" in p for p in path.parts):
        return f"{path} is outside the project"
    return None if path.parts else "a file without a name is wanted"


def reserved(path: PurePosixPath) -> str | None:
    """Say why a path is not a plugin's to write: Polster's own notes, git's, the environment's."""
    parts = [part.rstrip(". ").casefold() for part in path.parts]  # as Windows reads them
    if parts and (parts[0] in _RESERVED or not _GIT.isdisjoint(parts)):
        return f"{path} is not a plugin's to write"
    return None


def _is_protected(path: Path) -> bool:
    """Whether the owner took the right to write away; even root then should not overwrite it."""
    return not path.stat().st_mode & stat.S_IWUSR


def _two_writers(one: NewFile, other: NewFile) -> str:
    named = f"{one.path}" if one.path == other.path else f"{one.path} and {other.path}"
    if one.origin or other.origin:
        return f"{named}: wanted by both {one.origin or 'Polster'} and {other.origin or 'Polster'}"
    return f"{named} is written twice"


def _asked_by(file: NewFile) -> str:
    return f" ({file.origin})" if file.origin else ""


def _key(path: PurePosixPath) -> str:
    return str(path).casefold()
