"""What is about to be done to a project, written down first, so that it can be taken back.

The new bytes and the journal lie in a private folder `.polster/.apply-PID-…`, where the old files
are kept under second names as well. Whoever finds such a folder of a process that is gone can
tell from what is on disk which steps were done, and undo them.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from polster_core.environment.process import is_alive
from polster_core.plan.definition import Change, Plan, read

STATE = Path(".polster")
_JOURNAL, _DONE = "journal.json", "done.json"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step that can be taken back; paths are relative to the root.

    `mkdir` makes `path`; `write` puts the staged file `staged` there; `delete` keeps the file as
    `kept`; `move` renames a folder to `target`; `remove` is a `move` whose target goes at the end.
    """

    do: str
    path: str
    target: str = ""
    staged: str = ""
    kept: str = ""


@dataclass(frozen=True)
class Journal:
    """What is about to be done, written down before it is."""

    root: Path
    folder: Path
    operations: tuple[Operation, ...]

    @classmethod
    def load(cls, root: Path, folder: Path) -> Journal:
        """Read what another process wrote; one that died while staging had done nothing yet."""
        text = read(folder / _JOURNAL) or read(folder / _DONE) or b"[]"
        return cls(root, folder, tuple(Operation(**operation) for operation in json.loads(text)))

    @property
    def is_half_done(self) -> bool:
        """Whether something may have been done, and not all of it."""
        return (self.folder / _JOURNAL).exists()

    def stage(self, plan: Plan) -> None:
        """Write the new bytes and the journal; the project itself stays untouched."""
        self.folder.mkdir(parents=True)
        changes = {str(change.path): change for change in plan}
        for operation in self.operations:
            if operation.do == "write":
                write(self.folder / operation.staged, changes[operation.path], self.root)
        draft = self.folder / "journal.tmp"
        draft.write_text(json.dumps([asdict(operation) for operation in self.operations]))
        draft.rename(self.folder / _JOURNAL)

    def run(self) -> None:
        """Do it; the last rename says that everything is done."""
        for operation in self.operations:
            self._do(operation)
        (self.folder / _JOURNAL).rename(self.folder / _DONE)

    def finish(self) -> list[str]:
        """Tidy up if everything was done, else take it back; return what could not be."""
        if not (self.folder / _DONE).exists():
            return self.take_back()
        for operation in self.operations:
            if operation.do == "remove":
                _remove(self.root / operation.target)
        self._tidy()
        return []

    def take_back(self) -> list[str]:
        """Undo in reverse order whatever was done; go on after failures and return them."""
        with suppress(OSError):  # Ctrl-C may come right after the last step
            (self.folder / _DONE).rename(self.folder / _JOURNAL)
        if not self.is_half_done:
            self._tidy()
            return []
        problems = []
        for operation in reversed(self.operations):
            try:
                self._undo(operation)
            except OSError as error:
                problems.append(f"{operation.path}: {error.strerror or error}")
        if not problems:
            self._tidy()
        return problems

    def _do(self, operation: Operation) -> None:
        path = self.root / operation.path
        if operation.do == "mkdir":
            path.mkdir(exist_ok=True)
        elif operation.do == "write":
            if operation.kept:
                _keep(path.resolve(), self.folder / operation.kept)
            (self.folder / operation.staged).replace(path.resolve())
        elif operation.do == "delete":
            path.rename(self.folder / operation.kept)
        else:
            path.rename(self.root / operation.target)

    def _undo(self, operation: Operation) -> None:
        """Take one operation back if it was done, judging by what is on disk."""
        path, kept = self.root / operation.path, self.folder / operation.kept
        if operation.do == "mkdir":
            drop_if_empty(path)
        elif operation.do == "write":
            if (self.folder / operation.staged).exists():
                return
            if not operation.kept:
                path.unlink(missing_ok=True)
            elif kept.exists():
                kept.replace(path.resolve())
        elif operation.do == "delete":
            if os.path.lexists(kept):
                kept.rename(path)
        elif os.path.lexists(self.root / operation.target) and not os.path.lexists(path):
            (self.root / operation.target).rename(path)

    def _tidy(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        drop_if_empty(self.folder.parent)


def operations(plan: Plan) -> Iterator[Operation]:
    """Yield the plan's steps in the order in which they are done.

    Folders are made first, files are written, files are deleted, whole folders go last.
    """
    for parent in _missing_folders(plan):
        yield Operation(do="mkdir", path=str(parent))
    for number, change in enumerate(plan):
        renamed = change.source is not None
        if change.after is not None:
            kept = "" if change.before is None or renamed else f"old-{number}"
            yield Operation(do="write", path=str(change.path), staged=f"new-{number}", kept=kept)
        if renamed or change.after is None:
            gone = change.source or change.path
            yield Operation(do="delete", path=str(gone), kept=f"gone-{number}")
    for folder in plan.folders:
        if folder.target is not None:
            yield Operation(do="move", path=str(folder.path), target=str(folder.target))
        else:
            aside = private_name(plan.root / folder.path.parent, f".{folder.path.name}.polster")
            target = aside.relative_to(plan.root).as_posix()
            yield Operation(do="remove", path=str(folder.path), target=target)


def _missing_folders(plan: Plan) -> list[PurePosixPath]:
    """Return the folders to make, outer ones first."""
    wanted = [change.path for change in plan if change.after is not None]
    wanted += [folder.target for folder in plan.folders if folder.target is not None]
    parents = {parent for path in wanted for parent in path.parents}
    return sorted(parent for parent in parents if not (plan.root / parent).is_dir())


def write(target: Path, change: Change, root: Path | None = None) -> None:
    """Write a file's new bytes, with the permissions of the file that it takes the place of."""
    target.write_bytes(change.after or b"")
    original = root / (change.source or change.path) if root is not None else None
    if original is not None and change.before is not None:
        shutil.copymode(original, target)
    elif change.executable:
        mode = target.stat().st_mode
        target.chmod(mode | (mode & 0o444) >> 2)  # whoever may read it may run it


def _keep(target: Path, kept: Path) -> None:
    """Keep the present file under a second name, so that it can be put back as it was."""
    try:
        kept.hardlink_to(target)
    except OSError:  # a file system without hard links
        shutil.copy2(target, kept)


def private_name(parent: Path, prefix: str) -> Path:
    """Return a new path that tells which process it belongs to."""
    return parent / f"{prefix}-{os.getpid()}-{secrets.token_hex(4)}"


def abandoned(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield the private paths whose process is gone; ours are left from one that had our id."""
    pattern = re.compile(re.escape(prefix) + r"-(\d+)-[0-9a-f]{8}")
    with suppress(OSError):
        for path in sorted(parent.iterdir()):
            owner = pattern.fullmatch(path.name)
            if owner and (int(owner[1]) == os.getpid() or not is_alive(int(owner[1]))):
                yield path


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def drop_if_empty(folder: Path) -> None:
    """Remove a folder that nobody uses."""
    with suppress(OSError):  # it is not there, or others use it
        folder.rmdir()
