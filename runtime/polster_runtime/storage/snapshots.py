"""The names of an asset's files, and which of them are its rows.

A snapshot is a full file, TIME-ID.parquet, and the increments on top of it, TIME-ID.000001.parquet
and so on; TIME-ID.000001-000016.parquet holds the rows of sixteen of them, in their place, and
TIME-ID.000000-000016.parquet those of the full file as well. Names sort by time: the last full
file, with its increments, is what readers get. A file with any other name is no snapshot: it is
never read, compared, merged, copied or deleted.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from polster_runtime.errors import StorageError

Provenance = dict[str, Any]
"""Where the rows of a file came from: `run`, `code` and, where it is incremental, `position`."""

FOOTER_KEY = "provenance"
SUFFIX = ".parquet"
TIME = "%Y%m%dT%H%M%S%fZ"
PARTS = ((0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15), (15, 21))
"""Where year, month, day, hour, minute, second and microsecond stand in a name."""
NAME = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{6}(?:\.(\d{6,})(?:-(\d{6,}))?)?\.parquet", re.ASCII)


@dataclass(frozen=True)
class Snapshot:
    """One version of an asset's rows: the paths of its first file and of increments, in order."""

    paths: tuple[str, ...]
    held: tuple[str, ...] = ()
    """The files of which another has taken the place."""
    partitioned: bool = False
    """Whether the files are the partitions of an asset, in the order of their keys."""

    @property
    def path(self) -> str:
        """The newest of its files."""
        return max(self.paths, key=base_name) if self.partitioned else self.paths[-1]


def unique_name(after: str = "") -> str:
    """A name that sorts behind that of `after`, whatever the clock says, and is unlike any other.

    Raises StorageError when no time is later than that of `after`.
    """
    now = datetime.now(UTC)
    if after:
        try:
            now = max(now, written_at(after) + timedelta(microseconds=1))
        except OverflowError:
            raise StorageError(
                f"{after} has the last time that a name can have; rename it to a time of today",
                final=True,
            ) from None
    return f"{now.strftime(TIME)}-{secrets.token_hex(3)}"


def is_snapshot(path: str) -> bool:
    """Whether a file is named exactly as one of a snapshot: full, increment or merged."""
    found = NAME.fullmatch(path.rsplit("/", 1)[-1])
    if found is None:
        return False
    increments = found.groups()
    try:
        written_at(path)
    except ValueError:
        return False
    if increments == (None, None):
        return True
    first, last = numbers(path)
    as_written = [f"{number:06}" for number in (first, last)][: sum(map(bool, increments))]
    ordered = first < last if increments[1] else first > 0 or not increments[0]
    return ordered and as_written == [number for number in increments if number]


def written_at(path: str) -> datetime:
    """When the snapshot of a file was begun: its name says."""
    text = full_name(path)
    parts = [int(text[start:end]) for start, end in PARTS]  # strptime takes ten times as long
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def is_full(path: str) -> bool:
    """Whether a path is that of a full file, not of increments or with any."""
    return "." not in base_name(path)


def is_first(path: str) -> bool:
    """Whether a snapshot may begin with a file: a full one, alone or with increments in it."""
    return numbers(path)[0] == 0


def numbers(path: str) -> tuple[int, int]:
    """The first and the last increment that a file holds; 0 for a full file."""
    found = base_name(path).partition(".")[2]
    first, _, last = found.partition("-")
    return int(first or 0), int(last or first or 0)


def snapshot_of(*files: str) -> Snapshot:
    """What counts of a full file and its increments: not those that a merged one holds as well."""
    paths, held, reached = list[str](), list[str](), -1
    for path in sorted(files, key=lambda path: (numbers(path)[0], -numbers(path)[1])):
        last = numbers(path)[1]
        (paths if last > reached else held).append(path)
        reached = max(reached, last)
    return Snapshot(tuple(paths), tuple(held))


def snapshots_among(paths: Iterable[str]) -> list[Snapshot]:
    """The snapshots that the files in a folder make, the oldest first."""
    files = [path for path in paths if is_snapshot(path)]
    if len(files) == 1 and is_full(files[0]):
        return [Snapshot((files[0],))]
    # In order the first file comes before increments; those of which it is gone are none.
    files.sort(key=base_name)
    found = (list(several) for _, several in groupby(files, full_name))
    return [snapshot_of(*several) for several in found if is_first(several[0])]


def together(whole: Snapshot | None, partitions: Mapping[str, Snapshot]) -> Snapshot:
    """The snapshots of partitions as one; where there was one of all rows, what is newer counts."""
    paths = tuple(path for key in sorted(partitions) for path in partitions[key].paths)
    found = Snapshot(paths, partitioned=True)
    is_older = whole is not None and full_name(found.path) < full_name(whole.paths[0])
    return whole if whole and is_older else found


def stem(snapshot: Snapshot) -> str:
    """The path of the full file of a snapshot, without its suffix."""
    folder, name = snapshot.paths[0].rsplit("/", 1)
    return f"{folder}/{full_name(name)}"


def base_name(path: str) -> str:
    """The name of a file, without its suffix."""
    return path.rsplit("/", 1)[-1].removesuffix(SUFFIX)


def full_name(path: str) -> str:
    """The name of the full file that a file belongs to."""
    return base_name(path).split(".", 1)[0]
