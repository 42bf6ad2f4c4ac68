"""From verdicts to one plan: what is written, what goes, and the note of it in `.polster/`."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from polster_core.errors import PolsterError
from polster_core.model.ownership import Owner, owner_of
from polster_core.plan import conflicts
from polster_core.plan.definition import Plan, draft, read
from polster_core.project import base as bases
from polster_core.project import manifest
from polster_core.project.manifest import Entry, Manifest
from polster_core.types import NewFile
from polster_core.upgrade.verdicts import Outcome, Verdict, Versions, decide


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What an upgrade is decided from.

    `known` and `base` say what was generated (see `verified`), `target` what is generated now;
    `mine` replaces what is on disk, for files that were changed in passing. `retired` are files
    that no longer work once edited: they are replaced although a team may have edited them.
    `optional` are recorded files that may belong to the project although nothing generates them
    now. `obsolete` are folders that go as a whole.
    """

    root: Path
    known: Manifest
    base: Mapping[PurePosixPath, bytes]
    target: Mapping[PurePosixPath, NewFile]
    mine: Mapping[PurePosixPath, bytes] = field(default_factory=dict)
    retired: Collection[PurePosixPath] = ()
    optional: Collection[PurePosixPath] = ()
    obsolete: Collection[PurePosixPath] = ()


def verified(known: Manifest, base: Mapping[PurePosixPath, bytes]) -> dict[PurePosixPath, bytes]:
    """Return the texts that are what the manifest says was generated.

    Others come from another version of it, as after a merge in git that took one side's archive.
    """
    return {path: text for path, text in base.items() if known.wrote(path, text)}


def outcomes(sources: Sources) -> list[Outcome]:
    """Decide about every file that was generated or would be now, assets and data aside.

    Raises PolsterError where the manifest names a path that cannot be one of the project's.
    """
    paths = sorted({*sources.known.files, *sources.target})
    return [decide(_versions(sources, path)) for path in paths if not _is_the_teams(path)]


def draft_upgrade(sources: Sources, decided: Iterable[Outcome], made: Manifest) -> Plan:
    """Plan what was decided; `made` says which versions and answers are recorded.

    Raises PlanError with all conflicts.
    """
    found = list(decided)
    files = _recorded(sources, found)
    texts = {
        path: sources.target[path].content
        for path in files
        if path in sources.target and owner_of(path) is Owner.SHARED
    }
    kept = {path: text for path, text in sources.base.items() if path in files}
    wanted = [
        *_written(sources, found),
        manifest.file(replace(made, files=files)),
        bases.base_file(sources.root, {**kept, **texts}),
    ]
    gone = [outcome.path for outcome in found if outcome.deletes]
    folders = [folder for folder in sources.obsolete if (sources.root / folder).is_dir()]
    return draft(
        sources.root,
        wanted,
        deleted=[*_folded(sources.root, gone, wanted), *folders],
        command="upgrade",
    )


def _versions(sources: Sources, path: PurePosixPath) -> Versions:
    if problem := conflicts.outside(path):
        raise PolsterError(f"{manifest.PATH} is wrong: {problem}")
    entry = sources.known.files.get(path)
    owner = Owner.POLSTER if path in sources.retired else owner_of(path)
    return Versions(
        path=path,
        owner=owner,
        mine=sources.mine[path] if path in sources.mine else _present(sources.root, path),
        new=sources.target.get(path),
        recorded=entry.digest if entry else None,
        base=sources.base.get(path),
        optional=path in sources.optional,
    )


def _present(root: Path, path: PurePosixPath) -> bytes | None:
    try:
        return read(root / path)
    except OSError as error:  # a folder of that name, a file that may not be read
        raise PolsterError(f"{path} cannot be read: {error.strerror}") from error


def _is_the_teams(path: PurePosixPath) -> bool:
    return owner_of(path) is Owner.TEAM


def _recorded(sources: Sources, decided: Iterable[Outcome]) -> dict[PurePosixPath, Entry]:
    """Return what the manifest lists afterwards: what is generated now, and what may be."""
    files = {
        outcome.path: Entry(digest=manifest.digest(new.content), origin=new.origin)
        for outcome in decided
        if (new := sources.target.get(outcome.path)) is not None
    }
    kept = {path: sources.known.files[path] for path in sources.optional if path not in files}
    return {**files, **kept}


def _written(sources: Sources, decided: Iterable[Outcome]) -> Iterator[NewFile]:
    for outcome in decided:
        new = sources.target.get(outcome.path)
        origin, executable = (new.origin, new.executable) if new else ("", False)
        text = outcome.text
        if text is None and not outcome.deletes:
            text = sources.mine.get(outcome.path)
        if text is not None:
            note = _NOTES.get(outcome.verdict, str(outcome.verdict))
            yield NewFile(
                path=outcome.path, text=text, note=note, origin=origin, executable=executable
            )
        for path, content, what in (
            (outcome.beside_path, outcome.beside, "Polster's text"),
            (outcome.replaced_path, outcome.replaced, "your text"),
        ):
            if path is not None and content is not None:
                yield NewFile(path=path, text=content, note=what, origin=origin)


_NOTES: Mapping[Verdict, str] = {Verdict.ADDED: "", Verdict.UPDATED: ""}
"""What stands behind a path in the plan where it is not the verdict; "" is its size."""


def _folded(
    root: Path, gone: Iterable[PurePosixPath], wanted: Iterable[NewFile]
) -> list[PurePosixPath]:
    """Put whole folders in the place of files that are all that a folder has, byte code aside."""
    left = set(gone)
    kept = {parent for file in wanted for parent in file.path.parents}
    parents = {parent for path in left for parent in path.parents if parent.parts}
    for folder in sorted(parents, key=lambda path: len(path.parts)):
        if folder in kept or folder.parts == ("src",):
            continue
        inside = {
            PurePosixPath(path.relative_to(root).as_posix())
            for path in (root / folder).rglob("*")
            if not path.is_dir() and "__pycache__" not in path.parts
        }
        within = {path for path in left if path.is_relative_to(folder)}
        free = all(os.access(root / path, os.W_OK) for path in within)  # others shall be named
        if within and free and inside <= within:
            left = (left - within) | {folder}
    return sorted(left)


__all__ = ["Sources", "draft_upgrade", "outcomes", "verified"]
