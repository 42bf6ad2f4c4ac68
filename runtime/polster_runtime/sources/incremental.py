"""What incremental sources share: marks of what was read, and cursors that lie in the future.

A position tells up to where a source was read. Rows whose cursor is that of the position, or within
the lag of it, are read again by the next run: it tells by their marks which of them are new.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from polster_runtime.config.logging import log

MARK_BYTES = 8
"""Length of a mark: among a million of them two are alike with a chance of 1 in 37 million."""
MAX_MARKS = 2_000_000
"""How many rows a position can tell apart: about 20 MB of text, 300 MB while a source is read."""
TOLERANCE = timedelta(days=1)
"""How far ahead of the clock a cursor may be: local times of all zones, clocks that are wrong."""


def mark(values: Iterable[bytes | str | None]) -> bytes:
    """A short hash of some values, the same in every run and on every machine."""
    found = hashlib.blake2b(digest_size=MARK_BYTES)
    for value in values:
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        found.update(b"-" if data is None else b"%d:%b" % (len(data), data))
    return found.digest()


def packed_marks(marks: Iterable[bytes]) -> str:
    """Marks as a position holds them: 10 characters each."""
    return base64.b85encode(b"".join(sorted(marks))).decode()


def unpacked_marks(seen: str | Sequence[str]) -> list[bytes]:
    """The marks of a position; a list of hexadecimal ones is of an earlier version."""
    if not isinstance(seen, str):
        return [bytes.fromhex(one) for one in seen]
    data = base64.b85decode(seen)
    return [data[at : at + MARK_BYTES] for at in range(0, len(data), MARK_BYTES)]


def plain_number(text: object) -> str:
    """A number as text that is the same for each of its spellings: 5, 5.0 and 5e0 are 5."""
    number = Decimal(str(text))
    if not number.is_finite():
        return str(number)
    digits = format(number, "f") if number else "0"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def latest_plausible() -> datetime:
    """The latest time that a cursor may have without being in the future, in UTC."""
    return datetime.now(UTC) + TOLERANCE


def warn_of_future(source: str, cursor: str, ahead: Any) -> None:
    """Say that a source has a cursor in the future, which is read but is not the position."""
    details = {"source": source, cursor: str(ahead)}
    log.warning(
        "a cursor lies in the future; the position stays before it", extra={"details": details}
    )
