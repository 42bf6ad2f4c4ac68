"""Which versions of files were read: the position of a source that reads only what is new.

Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.found_files import DataFile, find_files

if TYPE_CHECKING:
    from polster_runtime.sources.base import Position

REMEMBERED_FOR = timedelta(days=90)
"""How long a file that was read is remembered after it has gone."""
FINGERPRINT_BYTES = 8
"""Bytes by which a position knows a version of a file."""


class FileVersion(Protocol):
    """What tells one version of a file from all others."""

    @property
    def path(self) -> str:
        """Where it is."""

    @property
    def size(self) -> int:
        """Its bytes."""

    @property
    def changed(self) -> float:
        """When it was written to, in seconds since 1970."""


_Version = TypeVar("_Version", bound=FileVersion)


@dataclass(frozen=True)
class NewFiles:
    """Files that a position does not know, the oldest first, and the position after them."""

    files: tuple[DataFile, ...]
    position: Position


@dataclass(frozen=True)
class _LocalVersion:
    path: str
    size: int
    changed: float
    file: DataFile


def new_files(pattern: str | Path, position: Position, *, root: Path | None = None) -> NewFiles:
    """Return the files of a pattern that are new, or have changed since a position.

        def extract(position: Position) -> Frames:
            found = new_files("data/in/orders-*.csv", position)
            yield from read_csv(found)
            return found.position

    Raises SourceError, as for a pattern that no file matches.
    """
    found = []
    for file in find_files(pattern, root, skip=("~$",)):
        info = file.path.stat()
        found.append(_LocalVersion(file.name, info.st_size, info.st_mtime, file))
    wanted = sorted(unknown(found, position), key=lambda one: (one.changed, one.path))
    return NewFiles(tuple(one.file for one in wanted), position_after(found, position))


def unknown(found: Sequence[_Version], position: Position) -> list[_Version]:
    """Return the files that a position does not know. Raises SourceError for a wrong position."""
    since, seen = _unpacked(position)
    return [one for one in found if one.changed > since and fingerprint(one) not in seen]


def position_after(known: Sequence[FileVersion], position: Position) -> Position:
    """Return the position that knows some files and, for a while, those that were there before."""
    today = datetime.now(UTC).date()
    oldest = (today - REMEMBERED_FOR).isoformat()
    _, seen = _unpacked(position)
    days = {one: day for one, day in seen.items() if day >= oldest}
    days |= dict.fromkeys(map(fingerprint, known), today.isoformat())
    packed: dict[str, list[bytes]] = {}
    for one, day in sorted(days.items()):
        packed.setdefault(day, []).append(one)
    newest = max((file.changed for file in known), default=0)
    return {
        "value": _moment(newest),
        "files": len(known),
        "seen": {day: base64.b85encode(b"".join(some)).decode() for day, some in packed.items()},
    }


def fingerprint(file: FileVersion) -> bytes:
    """Return what tells a version of a file from others: a hash of path, size and time."""
    text = f"{file.path}\n{file.size}\n{file.changed}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=FINGERPRINT_BYTES).digest()


def _moment(seconds: float) -> str:
    """Return a time for people; the latest that there is where a clock was years ahead."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC).isoformat()


def _unpacked(position: Position) -> tuple[float, dict[bytes, str]]:
    """Return what a position knows: all files up to a time, in seconds since 1970, or some files.

    These are fingerprints, with the day on which each was seen last.
    """
    if position is None:
        return float("-inf"), {}
    known = position if isinstance(position, Mapping) else {"value": position}
    if "seen" not in known:
        return _seconds(known.get("value")), {}
    days: dict[bytes, str] = {}
    for day, packed in known["seen"].items():
        data = base64.b85decode(packed)
        starts = range(0, len(data), FINGERPRINT_BYTES)
        days |= {data[start : start + FINGERPRINT_BYTES]: day for start in starts}
    return float("-inf"), days


def _seconds(value: object) -> float:
    """Return the time that a person has set: a date, or seconds since 1970."""
    if isinstance(value, int | float):
        return value
    try:
        since = datetime.fromisoformat(str(value))
    except ValueError:
        raise SourceError(
            f"the position {value!r} is no date; "
            "set one such as 2026-11-20, or read all files with --full-refresh",
            final=True,
        ) from None
    return (since if since.tzinfo else since.replace(tzinfo=UTC)).timestamp()
