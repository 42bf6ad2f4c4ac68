"""What is in a file, by its name. Standard library only."""

from __future__ import annotations

from pathlib import PurePosixPath

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.found_files import DataFile
from polster_runtime.sources.files.unpack import unpacked_name

KINDS = ("csv", "json", "excel", "parquet")
KINDS_BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
    ".jsonlines": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
}
"""What the end of a name says, before .gz, .bz2, .xz or .zst."""


def kind_of(file: DataFile) -> str:
    """Return csv, json, excel or parquet. Raises SourceError where the name does not say it."""
    suffix = PurePosixPath(unpacked_name(file.name.lower())).suffix
    kind = KINDS_BY_SUFFIX.get(suffix)
    if kind is None:
        raise SourceError(
            f"{file.shown}: its name does not say what is in it; say whether that is "
            "csv, json, excel or parquet",
            final=True,
        )
    return kind
