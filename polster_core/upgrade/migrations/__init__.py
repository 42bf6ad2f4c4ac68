"""What an older project needs besides merging: one module for each version that moved something.

A migration knows what the general rules cannot tell. It has `VERSION`, the first that needs it, and

- `adopt(root, known)`: what the older version wrote, as the newer one would have recorded it;
- `amend(sources)`: what the general rules shall treat differently in this project;
- `notes(root, known)`: sentences about what nobody but the team can change.
"""

from __future__ import annotations

from pathlib import Path

from polster_core.project.manifest import Manifest
from polster_core.upgrade.changelog import parsed
from polster_core.upgrade.migrations import v0_2_0
from polster_core.upgrade.planning import Sources

_ALL = (v0_2_0,)


def adopt(root: Path, known: Manifest) -> Manifest:
    """Return what was generated, with what older versions did not record."""
    for migration in _ALL:
        if parsed(known.polster) < parsed(migration.VERSION):
            known = migration.adopt(root, known)
    return known


def amend(sources: Sources) -> Sources:
    """Apply what each version since that of the project needs."""
    for migration in _ALL:
        if parsed(sources.known.polster) < parsed(migration.VERSION):
            sources = migration.amend(sources)
    return sources


def notes(root: Path, known: Manifest) -> list[str]:
    """Return what the team has to look at, by what has changed since the project's version."""
    since = (one for one in _ALL if parsed(known.polster) < parsed(one.VERSION))
    return [note for migration in since for note in migration.notes(root, known)]


__all__ = ["adopt", "amend", "notes"]
