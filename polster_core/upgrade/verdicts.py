"""What an upgrade does to one file, and why: decided from its three versions alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from polster_core.model.ownership import Owner
from polster_core.project.manifest import digest
from polster_core.types import NewFile
from polster_core.upgrade.merge import merge_file
from polster_core.upgrade.merge.lines import newline_of

NEW_SUFFIX = ".polster-new"
"""Behind the name of a file that lies beside one in conflict; no linter takes it for code."""
REPLACED = PurePosixPath(".polster/replaced")
"""Where edited files go that Polster replaces."""


class Verdict(StrEnum):
    """What becomes of a file."""

    ADDED = "added"
    UPDATED = "updated"
    MERGED = "merged"
    CONFLICT = "conflict"
    YOURS = "yours"
    DELETED = "deleted by you"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Versions:
    """A file as it was generated, as the project has it, and as it is generated now.

    `recorded` is the digest of what was generated, and `base` its text where that was kept. An
    `optional` file is one that Polster cannot tell whether it still belongs to the project.
    """

    path: PurePosixPath
    owner: Owner
    mine: bytes | None
    new: NewFile | None
    recorded: str | None = None
    base: bytes | None = None
    optional: bool = False

    @property
    def is_pristine(self) -> bool:
        """Whether nobody has edited it since it was generated, line ends aside."""
        return self.mine is not None and digest(self.mine) == self.recorded


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A verdict, and what is done: nothing where there is no `text` and nothing to delete.

    `beside` is written next to the file, with `NEW_SUFFIX`; `replaced` is what is kept of the
    team's below `REPLACED`.
    """

    path: PurePosixPath
    owner: Owner
    verdict: Verdict
    note: str = ""
    text: bytes | None = None
    deletes: bool = False
    beside: bytes | None = None
    replaced: bytes | None = None

    @property
    def beside_path(self) -> PurePosixPath | None:
        """Where Polster's text lies, if beside the file."""
        if self.beside is None:
            return None
        return self.path.with_name(f"{self.path.name}{NEW_SUFFIX}")

    @property
    def replaced_path(self) -> PurePosixPath | None:
        """Where the team's text lies, if it was replaced: a name that no tool takes for code."""
        if self.replaced is None:
            return None
        return REPLACED / self.path.with_name(f"{self.path.name}.old")


def decide(versions: Versions) -> Outcome:
    """Decide what becomes of a file; nothing that only the team has written gets lost."""
    if versions.owner is Owner.POLSTER:
        return _replaced(versions)
    if versions.new is None:
        return _no_longer_generated(versions)
    if versions.mine is None:
        return _absent(versions, versions.new)
    return _shared(versions, versions.mine, versions.new.content)


def _shared(versions: Versions, mine: bytes, new: bytes) -> Outcome:
    """Decide about a file that is there, and that the team may edit."""
    if digest(mine) == digest(new):
        return _outcome(versions, Verdict.UNCHANGED)
    if versions.is_pristine:
        return _outcome(versions, Verdict.UPDATED, text=_with_line_ends_of(mine, new))
    if digest(new) == versions.recorded:
        return _outcome(versions, Verdict.YOURS, "edited by you; Polster's is what it was")
    merged = merge_file(versions.path, versions.base, mine, new)
    text = merged.text if merged.text != mine else None
    if merged.conflicts:
        known = versions.recorded is not None
        why = "; ".join(merged.conflicts) if known else "there is a file of yours at its place"
        return _outcome(versions, Verdict.CONFLICT, why, text=text, beside=new)
    if text is None:
        return _outcome(versions, Verdict.YOURS, "it has what Polster changed")
    return _outcome(versions, Verdict.MERGED, "your changes and Polster's", text=text)


def _absent(versions: Versions, new: NewFile) -> Outcome:
    if versions.recorded is None:
        return _outcome(versions, Verdict.ADDED, text=new.content)
    same = digest(new.content) == versions.recorded
    return _outcome(versions, Verdict.DELETED, "" if same else "and changed by Polster since")


def _no_longer_generated(versions: Versions) -> Outcome:
    if versions.mine is None or versions.optional:
        return _outcome(versions, Verdict.UNCHANGED)
    if versions.is_pristine:
        return _outcome(versions, Verdict.REMOVED, deletes=True)
    return _outcome(versions, Verdict.YOURS, "edited by you; Polster no longer writes it")


def _replaced(versions: Versions) -> Outcome:
    """Decide about a file that is Polster's alone; an edited one is kept elsewhere."""
    mine, new = versions.mine, versions.new.content if versions.new else None
    if mine is None:
        if new is None:
            return _outcome(versions, Verdict.UNCHANGED)
        if versions.recorded is None:
            return _outcome(versions, Verdict.ADDED, text=new)
        return _outcome(versions, Verdict.UPDATED, "it was missing", text=new)
    if new is not None and digest(mine) == digest(new):
        return _outcome(versions, Verdict.UNCHANGED)
    text = _with_line_ends_of(mine, new) if new is not None else None
    if not versions.is_pristine:
        note = "edited, and Polster's alone" if new is not None else "edited, and without use now"
        note = f"{note}; yours is kept in {REPLACED}/"
        return _outcome(
            versions, Verdict.CONFLICT, note, text=text, deletes=new is None, replaced=mine
        )
    verdict = Verdict.UPDATED if new is not None else Verdict.REMOVED
    return _outcome(versions, verdict, text=text, deletes=new is None)


def _outcome(
    versions: Versions,
    verdict: Verdict,
    note: str = "",
    *,
    text: bytes | None = None,
    deletes: bool = False,
    beside: bytes | None = None,
    replaced: bytes | None = None,
) -> Outcome:
    return Outcome(
        path=versions.path,
        owner=versions.owner,
        verdict=verdict,
        note=note,
        text=text,
        deletes=deletes,
        beside=beside,
        replaced=replaced,
    )


def _with_line_ends_of(mine: bytes, new: bytes) -> bytes:
    if b"\0" in new or b"\r" in new:
        return new
    return new.replace(b"\n", newline_of(mine))


__all__ = ["NEW_SUFFIX", "REPLACED", "Outcome", "Verdict", "Versions", "decide"]
