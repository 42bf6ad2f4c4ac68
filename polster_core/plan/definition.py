"""A plan: everything a command would do to a project, decided before anything is done.

`draft` compares what is wanted with what is on disk, and refuses as a whole what cannot work.
The plan is then shown (`plan.render`) or carried out (`plan.apply`), as it stands:

    plan = draft(
        project.root,
        [NewFile(path=PurePosixPath("src/core/gold_revenue.py"), text=text, note="write it here")],
        deleted=[PurePosixPath("tests/test_gold_old.py")],
        moved={PurePosixPath("data/gold/old"): PurePosixPath("data/gold/revenue")},
    )

A wanted file that exists with the same bytes is no change. Files are compared as bytes: decode,
edit and encode with `newline=""` semantics (`read_bytes().decode()`), and CRLF files stay CRLF.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from polster_core.errors import PlanError
from polster_core.plan import conflicts, syntax
from polster_core.types import NewFile

_EXAMPLES = frozenset({"example", "sample", "template", "dist"})


class Kind(StrEnum):
    """What happens to a file or a folder."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    DELETE = "delete"
    MOVE = "move"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One file: its bytes now and its bytes afterwards, `None` meaning absent.

    `source` is the path that the file has now, where that is another one. A change of a file that
    exists keeps its permissions; `executable` is for new ones.
    """

    path: PurePosixPath
    before: bytes | None
    after: bytes | None
    source: PurePosixPath | None = None
    note: str = ""
    origin: str = ""
    executable: bool = False

    @property
    def kind(self) -> Kind:
        """Derive the kind, so that it can never disagree with the bytes."""
        if self.source is not None:
            return Kind.RENAME
        if self.before == self.after:
            return Kind.KEEP
        if self.before is None:
            return Kind.CREATE
        return Kind.DELETE if self.after is None else Kind.UPDATE


@dataclass(frozen=True, kw_only=True)
class FolderChange:
    """A folder that moves with all that is in it, or (`target` is `None`) goes with it."""

    path: PurePosixPath
    target: PurePosixPath | None = None
    note: str = ""

    @property
    def kind(self) -> Kind:
        """MOVE or REMOVE."""
        return Kind.MOVE if self.target is not None else Kind.REMOVE


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something done after the files are there, such as `git init`; a failure undoes no files.

    It is shown as `name target`, with `summary` behind it before and what `run` returns afterwards.
    `run` raises PolsterError, whose hint is the command that tries again.
    """

    name: str
    summary: str
    run: Callable[[], str]
    target: str = ""

    def row(self, words: str) -> tuple[str, str, str]:
        """Return what is shown, with words for what is or was done."""
        return (self.name, self.target, words) if self.target else (self.name, words, "")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Changes under one root, then steps; previewed and applied as they stand.

    `command` says whose they are, in words of the command line: `rename-asset silver_a silver_b`.
    """

    root: Path
    changes: tuple[Change, ...] = ()
    folders: tuple[FolderChange, ...] = ()
    steps: tuple[Step, ...] = ()
    command: str = ""

    def __iter__(self) -> Iterator[Change]:
        """Yield the changes of files that do something."""
        return (change for change in self.changes if change.kind is not Kind.KEEP)

    def __bool__(self) -> bool:
        """Whether carrying out the plan would change anything."""
        return bool(self.folders or self.steps) or any(True for _ in self)


def draft(
    root: Path,
    wanted: Iterable[NewFile] = (),
    *,
    deleted: Iterable[PurePosixPath] = (),
    moved: Mapping[PurePosixPath, PurePosixPath] | None = None,
    notes: Mapping[PurePosixPath, str] | None = None,
    steps: Iterable[Step] = (),
    command: str = "",
    unparsed: Collection[PurePosixPath] = (),
) -> Plan:
    """Compare what is wanted with what is on disk.

    `wanted` are the files as they shall be. `deleted` are files, or whole folders. `moved` maps the
    present path of a file or folder to its new one; a file that moves and changes is in `wanted`
    under its new path as well. `notes` are words for paths that come without a `NewFile`. What
    is deleted or moved but does not exist is a problem. `unparsed` are files that may be anything:
    those of a merge that somebody still has to finish.

    Raises PlanError, with every problem found: paths outside the project, two writers of one path,
    folders where files go, links that lead out, files that are write-protected, and Python,
    TOML, YAML or JSON that could not be read any more.
    """
    files, gone, renames = tuple(wanted), tuple(deleted), dict(moved or {})
    said = notes or {}
    problems = [
        *conflicts.of_paths(files),
        *conflicts.of_removals(root, files, gone, renames),
        *conflicts.on_disk(root, files, (*gone, *renames)),
    ]
    if problems:
        raise PlanError(_headline(problems), details=problems if len(problems) > 1 else ())
    folders = [
        FolderChange(path=path, target=renames.get(path), note=said.get(path, ""))
        for path in (*gone, *renames)
        if (root / path).is_dir()
    ]
    whole = {folder.path for folder in folders}
    changes = [
        *_changes(root, files, {new: old for old, new in renames.items() if old not in whole}),
        *(
            Change(path=path, before=read(root / path), after=None, note=said.get(path, ""))
            for path in gone
            if path not in whole
        ),
        *_bare_renames(root, files, {old: new for old, new in renames.items() if old not in whole}),
    ]
    _refuse_unreadable(one for one in changes if one.path not in unparsed)
    return Plan(
        root=root,
        changes=tuple(sorted(changes, key=lambda change: change.path)),
        folders=tuple(folders),
        steps=tuple(steps),
        command=command,
    )


def is_private(path: PurePosixPath) -> bool:
    """Whether a file holds secrets: `.env`, and `.env.prod`, but not `.env.example`."""
    first, *parts = path.name.split(".")
    return not first and parts[:1] == ["env"] and _EXAMPLES.isdisjoint(parts)


def read(path: Path) -> bytes | None:
    """Return a file's bytes, or `None` where there is no file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _changes(
    root: Path, files: Iterable[NewFile], sources: Mapping[PurePosixPath, PurePosixPath]
) -> Iterator[Change]:
    for file in files:
        source = sources.get(file.path)
        yield Change(
            path=file.path,
            before=read(root / (source or file.path)),
            after=file.content,
            source=source,
            note=file.note,
            origin=file.origin,
            executable=file.executable,
        )


def _bare_renames(
    root: Path, files: Iterable[NewFile], renames: Mapping[PurePosixPath, PurePosixPath]
) -> Iterator[Change]:
    """Rename the files whose content stays as it is."""
    changed = {file.path for file in files}
    for old, new in renames.items():
        if new not in changed:
            content = read(root / old)
            yield Change(path=new, source=old, before=content, after=content)


def _refuse_unreadable(changes: Iterable[Change]) -> None:
    """Raise PlanError for files that would be written and that nobody could read."""
    problems = [
        f"{change.path} could not be read any more: {problem}"
        f"{f' ({change.origin})' if change.origin else ''}"
        for change in changes
        if change.after is not None and change.after != change.before
        if (problem := syntax.problem(change.path, change.after))
        # What our parser could not read before, such as newer Python, it cannot judge now.
        and (change.before is None or not syntax.problem(change.path, change.before))
    ]
    if problems:
        raise PlanError(
            _headline(problems),
            details=problems if len(problems) > 1 else (),
            hint="nothing was changed; this is a fault of Polster, or of the plugin that wrote it",
        )


def _headline(problems: list[str]) -> str:
    return problems[0] if len(problems) == 1 else f"{len(problems)} conflicts"
