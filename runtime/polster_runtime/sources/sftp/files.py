"""Downloaded files as one stream of rows, packed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from polster_runtime.errors import SourceError
from polster_runtime.sources.files import read_csv, read_excel, read_json, read_parquet
from polster_runtime.sources.files.batches import Batches, aligned
from polster_runtime.sources.files.found_files import DataFile
from polster_runtime.sources.files.kinds import kind_of
from polster_runtime.sources.files.scratch import scratch_folder
from polster_runtime.sources.files.union import exact_supertype
from polster_runtime.sources.files.unpack import unpack_all
from polster_runtime.sources.sftp.types import exactly_cast

_READERS: Mapping[str, Callable[..., Batches]] = {
    "csv": read_csv,
    "json": read_json,
    "parquet": read_parquet,
    "excel": read_excel,
}
_ARGUMENTS = {
    "csv": {
        "separator",
        "encoding",
        "quote",
        "header_row",
        "null",
        "ragged",
        "types",
        "decimal",
    },
    "json": {"records"},
    "parquet": set[str](),
    "excel": {"header_row"},
}


@dataclass(frozen=True)
class SftpFile:
    """A file of the server, and where it was downloaded to."""

    path: str
    size: int
    changed: int
    """When, in seconds since 1970."""
    local: Path = Path()


@dataclass(frozen=True, kw_only=True)
class SftpFormat:
    """How files are read."""

    format: str = ""
    """csv, json, ndjson, parquet or excel; else each file's name says."""
    sheet: str = ""
    """The sheet of workbooks; else the first."""
    file_column: str = ""
    """A column with the path of each row's file."""
    schema: Mapping[str, Any] | None = None
    """The columns and their types, {"id": pl.Int64}; else what the files hold."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else the reader is called with, such as {"separator": ";"}."""

    def of(self, file: DataFile) -> str:
        """The kind of a file. Raises SourceError."""
        kind = {"ndjson": "json"}.get(self.format, self.format) or kind_of(file)
        if kind not in _READERS:
            raise SourceError(f"there is no format {self.format}", final=True)
        return kind


def load_sftp_data(
    files: Sequence[SftpFile], how: SftpFormat | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of downloaded files, batch by batch, all with the same columns.

    A column that a file lacks is null in its rows. CSV is text; a column that files of another
    format have in another type is text, too. Raises SourceError, which names the file.
    """
    how = how or SftpFormat()
    with scratch_folder("unpacked") as folder:
        given = [DataFile(file.local, file.path) for file in files]
        parts = [part for part in unpack_all(given, folder) if part.path.stat().st_size]
        if parts:
            yield from _with_schema(parts, how) if how.schema else _frames(parts, how)
        elif how.schema:
            yield pl.DataFrame(schema=_names(how))


def _names(how: SftpFormat) -> dict[str, Any]:
    return {**(how.schema or {}), **({how.file_column: pl.String} if how.file_column else {})}


def _frames(files: Sequence[DataFile], how: SftpFormat) -> Iterator[pl.DataFrame]:
    """The rows of files of any kind, as frames of the same columns."""
    kinds: dict[str, list[DataFile]] = {}
    for file in files:
        kinds.setdefault(how.of(file), []).append(file)
    streams = [_stream(kind, some, how) for kind, some in kinds.items()]
    started = [(first, stream) for stream in streams if (first := next(stream, None)) is not None]
    if not started:
        return
    schema = _union([first for first, _ in started])
    yield pl.DataFrame(schema=schema)
    for _, stream in started:
        with closing(stream):
            for frame in stream:
                yield aligned(frame, schema)


def _stream(kind: str, files: Sequence[DataFile], how: SftpFormat) -> Batches:
    if unknown := how.options.keys() - set[str]().union(*_ARGUMENTS.values()):
        raise SourceError(f"there is no option {', '.join(sorted(unknown))}", final=True)
    given = {name: value for name, value in how.options.items() if name in _ARGUMENTS[kind]}
    if kind == "excel":
        given["sheet"] = how.sheet
    return _READERS[kind](files, file_column=how.file_column, **given)


def _union(frames: Sequence[pl.DataFrame]) -> dict[str, Any]:
    """The columns of files of several formats: text where their types differ."""
    found: dict[str, Any] = {}
    for frame in frames:
        for name, kind in frame.schema.items():
            both = exact_supertype(found.get(name, kind), kind)
            if both is None and (kind.is_nested() or found[name].is_nested()):
                raise SourceError(
                    f"{name} is {found[name]} in some files and {kind} in others; "
                    "read files of one format",
                    final=True,
                )
            found[name] = both or pl.String()
    return found


def _with_schema(files: Sequence[DataFile], how: SftpFormat) -> Iterator[pl.DataFrame]:
    """The columns that the schema names, of its types. Raises SourceError for others."""
    wanted, plain = _names(how), replace(how, schema=None)
    frames = _frames(files, plain)
    kinds = (first := next(frames, pl.DataFrame(schema=wanted))).schema
    if differ := wanted.keys() ^ kinds.keys():
        alone = {file: next(_frames([file], plain), first).columns for file in files[1:]}
        culprit = next((file for file in alone if differ & set(alone[file])), files[0])
        raise SourceError(
            f"{culprit.shown}: columns differ from the schema: {', '.join(sorted(differ))}"
        )
    yield pl.DataFrame(schema=wanted)
    for frame in frames:
        try:
            yield exactly_cast(frame, wanted)
        except (PolarsError, SourceError) as error:
            raise _culprit(files, plain, wanted, error) from None


def _culprit(
    files: Sequence[DataFile], how: SftpFormat, schema: Mapping[str, Any], error: Exception
) -> SourceError:
    """What is wrong with which file: the first that does not fit the schema on its own."""
    for file in files:
        try:
            for frame in _frames([file], how):
                exactly_cast(frame, schema)
        except (PolarsError, SourceError) as own:
            return SourceError(
                f"{file.shown} cannot be read: {str(own).splitlines()[0]}", final=True
            )
    return SourceError(f"the files do not go together: {str(error).splitlines()[0]}", final=True)
