"""What is about to be done to a project, written down first, so that it can be undone.

The new bytes and the journal lie in a folder below `.polster/.apply/`, where the old files are kept
under second names as well. The journal holds the digest of every file before and after, so that
`recovery` can tell what is still Polster's own from what somebody has changed since.

A file of secrets (`.env`) that only grows is not kept: its journal entry is its old length and its
digest, which is enough to cut off what was added. Only the lines that are added are staged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from polster_core.plan import workspace
from polster_core.plan.definition import Change, Plan, is_private

JOURNAL, DONE = "journal.json", "done.json"
_ASIDE = "folder"
_OTHERS = 0o077


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step that can be undone; paths are relative to the root, digests are SHA-256.

    `mkdir` makes `path`. `write` puts the staged file `staged` there, after the present file was
    kept as `kept`. `append` adds the staged bytes to the first `size` bytes, which are all there
    are. `delete` keeps the file as `kept`. `move` renames a folder to `target`; `remove` moves it
    into a folder of its own, which goes at the end. An empty digest means that there is no file.
    """

    do: str
    path: str
    target: str = ""
    staged: str = ""
    kept: str = ""
    before: str = ""
    after: str = ""
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Journal:
    """One change of a project: who makes it, with which command, in which steps."""

    root: Path
    folder: Path
    command: str
    started: str
    operations: tuple[Operation, ...]
    owner: str

    @classmethod
    def of(cls, plan: Plan) -> Journal:
        """Return the journal of a plan; nothing is written."""
        return cls(
            root=plan.root,
            folder=workspace.new_change(plan.root),
            command=plan.command,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            operations=tuple(_operations(plan)),
            owner=workspace.owner(),
        )

    @classmethod
    def load(cls, root: Path, folder: Path) -> Journal | None:
        """Read what a process wrote; `None` if it died before, and so had changed nothing.

        Raises ValueError for what no Polster wrote.
        """
        for name in (JOURNAL, DONE):
            with suppress(FileNotFoundError):
                return cls._read(root, folder, folder / name)
        return None

    @classmethod
    def load_finished(cls, root: Path, path: Path) -> Journal:
        """Read the word of a process that died after its change was made; raises as `load` does."""
        return cls._read(root, path, path)

    @classmethod
    def _read(cls, root: Path, folder: Path, path: Path) -> Journal:
        text = path.read_bytes()
        try:
            found = json.loads(text)
            operations = tuple(Operation(**one) for one in found.pop("operations"))
            return cls(root=root, folder=folder, operations=operations, **found)
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(str(error)) from error

    @property
    def is_half_done(self) -> bool:
        """Whether something may have been done, and not all of it."""
        return (self.folder / JOURNAL).exists()

    def stage(self, plan: Plan) -> None:
        """Write the new bytes and the journal; the project itself stays untouched."""
        workspace.prepare(self.root)
        self.folder.mkdir(mode=0o700)
        changes = {str(change.path): change for change in plan}
        for operation in self.operations:
            if operation.do == "write":
                write(self.folder / operation.staged, changes[operation.path], self.root)
            elif operation.do == "append":
                added = (changes[operation.path].after or b"")[operation.size :]
                (self.folder / operation.staged).write_bytes(added)
        draft = self.folder / "journal.tmp"
        written = {
            "command": self.command,
            "started": self.started,
            "owner": self.owner,
            "operations": [asdict(operation) for operation in self.operations],
        }
        draft.write_text(json.dumps(written), encoding="utf-8")
        draft.rename(self.folder / JOURNAL)

    def run(self) -> None:
        """Do every operation; until `commit` all of them can be undone."""
        for operation in self.operations:
            self._do(operation)

    def commit(self) -> None:
        """Say that everything is done; from now on nothing can be undone."""
        (self.folder / JOURNAL).rename(self.folder / DONE)

    def tidy(self) -> None:
        """Delete all that was kept, and the folders that were to go; for who has the turn.

        Word that all is done stays until the turn ends.
        """
        for operation in self.operations:
            if operation.do == "remove":
                shutil.rmtree((self.root / operation.target).parent, ignore_errors=True)
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if path.name != DONE:
                    path.unlink()
            (self.folder / DONE).rename(workspace.new_finished(self.root))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _do(self, operation: Operation) -> None:
        path = self.root / operation.path
        if operation.do == "mkdir":
            path.mkdir(exist_ok=True)
        elif operation.do == "write":
            if operation.kept:
                _keep(path.resolve(), self.folder / operation.kept)
            (self.folder / operation.staged).replace(path.resolve())
        elif operation.do == "append":
            close_to_others(path)
            with path.open("ab") as file:
                file.write((self.folder / operation.staged).read_bytes())
        elif operation.do == "delete":
            path.rename(self.folder / operation.kept)
        elif operation.do == "move":
            path.rename(self.root / operation.target)
        else:
            aside = (self.root / operation.target).parent
            aside.mkdir(mode=0o700)
            workspace.ignored(aside)
            path.rename(self.root / operation.target)


def _operations(plan: Plan) -> Iterator[Operation]:
    """Yield the plan's steps in the order in which they are done.

    Folders are made first, files are written, files are deleted, whole folders go last.
    """
    for parent in _missing_folders(plan):
        yield Operation(do="mkdir", path=str(parent))
    for number, change in enumerate(plan):
        if change.after is not None:
            yield _written(number, change)
        if change.source is not None or change.after is None:
            gone, kept = change.source or change.path, f"gone-{number}"
            yield Operation(do="delete", path=str(gone), kept=kept, before=digest(change.before))
    for folder in plan.folders:
        if folder.target is not None:
            yield Operation(do="move", path=str(folder.path), target=str(folder.target))
        else:
            aside = folder.path.parent / f".polster-{os.getpid()}-{os.urandom(4).hex()}"
            yield Operation(do="remove", path=str(folder.path), target=str(aside / _ASIDE))


def _written(number: int, change: Change) -> Operation:
    before = None if change.source is not None else change.before
    grows = before is not None and (change.after or b"").startswith(before)
    appends = grows and is_private(change.path)
    return Operation(
        do="append" if appends else "write",
        path=str(change.path),
        staged=f"new-{number}",
        kept="" if before is None or appends else f"old-{number}",
        before=digest(before),
        after=digest(change.after),
        size=len(before or b""),
    )


def _missing_folders(plan: Plan) -> list[PurePosixPath]:
    """Return the folders to make, outer ones first."""
    wanted = [change.path for change in plan if change.after is not None]
    wanted += [folder.target for folder in plan.folders if folder.target is not None]
    parents = {parent for path in wanted for parent in path.parents}
    return sorted(parent for parent in parents if not (plan.root / parent).is_dir())


def write(target: Path, change: Change, root: Path | None = None) -> None:
    """Write a file's new bytes, with the permissions of the file that it takes the place of.

    A file of secrets can be read by its owner only, from its first byte on.
    """
    original = root / (change.source or change.path) if root is not None else None
    if is_private(change.path):
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    target.write_bytes(change.after or b"")
    if original is not None and change.before is not None:
        shutil.copymode(original, target)
        if is_private(change.path):
            close_to_others(target)
    elif change.executable:
        mode = target.stat().st_mode
        target.chmod(mode | (mode & 0o444) >> 2)  # whoever may read it may run it


def is_open_to_others(path: Path) -> bool:
    """Whether others than its owner may read or write a file; Windows has no such permissions."""
    return os.name != "nt" and bool(path.stat().st_mode & _OTHERS)


def close_to_others(path: Path) -> None:
    """Take the permissions for a file from all but its owner."""
    if is_open_to_others(path):
        path.chmod(path.stat().st_mode & 0o7777 & ~_OTHERS)


def digest(content: bytes | None) -> str:
    """Return the SHA-256 of a file's bytes; "" where there is no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _keep(target: Path, kept: Path) -> None:
    """Keep the present file under a second name, so that it can be put back as it was."""
    try:
        kept.hardlink_to(target)
    except OSError:  # a file system without hard links
        shutil.copy2(target, kept)


def drop_if_empty(folder: Path) -> None:
    """Remove a folder that nobody uses."""
    with suppress(OSError):  # it is not there, or others use it
        folder.rmdir()
