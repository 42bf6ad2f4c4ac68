"""Which files of an SFTP server were read."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from polster_runtime.errors import SourceError
from polster_runtime.sources.base import Position
from polster_runtime.sources.sftp.formats import SftpFile

REMEMBERED_FOR = timedelta(days=90)
"""How long a file that was read is remembered after it has gone from the server."""
FINGERPRINT_BYTES = 8
"""Bytes by which the position knows a version of a file."""


def fingerprint(file: SftpFile) -> bytes:
    """What tells this version of a file from all others: a hash of path, size and time."""
    text = f"{file.path}\n{file.size}\n{file.changed}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=FINGERPRINT_BYTES).digest()


def unpacked_position(position: Position) -> tuple[float, dict[bytes, str]]:
    """What a position knows: all files up to a time, in seconds since 1970, or certain files.

    These are fingerprints, with the day on which each was seen last. Raises SourceError.
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


def packed_position(known: Sequence[SftpFile], seen: Mapping[bytes, str]) -> Position:
    """The position that knows some files and, for a while, those that were there before."""
    today = datetime.now(UTC).date()
    oldest = (today - REMEMBERED_FOR).isoformat()
    days = {one: day for one, day in seen.items() if day >= oldest}
    days |= dict.fromkeys(map(fingerprint, known), today.isoformat())
    packed: dict[str, list[bytes]] = {}
    for one, day in sorted(days.items()):
        packed.setdefault(day, []).append(one)
    newest = max((file.changed for file in known), default=0)
    return {
        "value": datetime.fromtimestamp(newest, UTC).isoformat(),
        "files": len(known),
        "seen": {day: base64.b85encode(b"".join(some)).decode() for day, some in packed.items()},
    }


def _seconds(value: object) -> float:
    """The time that a person has set: a date, or seconds since 1970. Raises SourceError."""
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
