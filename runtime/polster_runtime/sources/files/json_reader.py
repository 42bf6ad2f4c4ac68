"""JSON files as frames: the types are those of all records of all files."""

from __future__ import annotations

import glob
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.batches import (
    Batches,
    aligned,
    batched,
    check_file_column,
    merged,
    polars_errors,
    with_file_column,
)
from polster_runtime.sources.files.encoding import find_encoding, sample, warn_of_guesses
from polster_runtime.sources.files.found_files import DataFile, check_unchanged, versions
from polster_runtime.sources.files.json_lines import LineLayouts
from polster_runtime.sources.files.json_records import JsonNotes, read_json_records
from polster_runtime.sources.files.scratch import scratch_folder
from polster_runtime.sources.files.unpack import unpack_all
from polster_runtime.sources.shapes import Number, Shape, TooDeepError, parse_float

_FRAME_RECORDS = 1_000


def json_frames(files: Sequence[DataFile], *, records: str = "", file_column: str = "") -> Batches:
    """Yield the records of JSON files: lists, an object a line, or one document each.

    All records are read twice: for their types, and for their values. Integers and other numbers
    become floats where those are exact; values that no type holds together become text, JSON of
    each value. Without a record there is no frame. Raises SourceError, which names the file and the
    record.
    """
    with scratch_folder() as folder:
        before = versions(files)
        parts = [_Part(file) for file in unpack_all(files, folder)]
        shape = Shape()
        layouts = LineLayouts(shape)
        for part in parts:
            part.see(shape, layouts, records)
            if name := _broken_name(shape):
                raise SourceError(
                    f"{part.file.shown}: the key {name!a} has half of a surrogate pair, which is "
                    "no character",
                    final=True,
                )
        warn_of_guesses({part.file: part.notes.encoding for part in parts})
        if not shape.fields:
            return
        schema: dict[str, Any] = {name: one.dtype() for name, one in shape.fields.items()}
        if file_column:
            check_file_column(file_column, schema)
        read = _Reader(shape, schema, records)
        whole = {**schema, **({file_column: pl.String()} if file_column else {})}
        yield pl.DataFrame(schema=whole)
        yield from merged(
            aligned(with_file_column(frame, file_column, part.file), whole)
            for part in parts
            for frame in read.frames(part)
        )
        check_unchanged(before)


def _broken_name(shape: Shape) -> str:
    """Return a key that is no text, of what was seen; an empty text if there is none."""
    for name in shape.fields:
        try:
            name.encode()
        except UnicodeEncodeError:
            return name
    inner = [*shape.fields.values(), *([shape.element] if shape.element else [])]
    return next(filter(None, map(_broken_name, inner)), "")


class _Part:
    """One file, and what was noticed when it was read for its types."""

    def __init__(self, file: DataFile) -> None:
        self.file, self.notes = file, JsonNotes()

    def see(self, shape: Shape, layouts: LineLayouts, records: str) -> None:
        """Take all records into account."""
        if not records and self._may_be_lines():
            if layouts.see(self.file.path, self.notes):
                return
            self.notes = JsonNotes()
        found = read_json_records(self.file, parse_float, records=records, notes=self.notes)
        try:
            for _, record in found:
                shape.see(record)
        except TooDeepError as error:
            raise SourceError(
                f"{self.file.shown}, record {self.notes.records}: {error}", final=True
            ) from None

    def _may_be_lines(self) -> bool:
        begin = sample(self.file)
        return begin.lstrip().startswith(b"{") and find_encoding(self.file, begin) == "utf-8"

    @property
    def is_plain(self) -> bool:
        """Whether Polars reads its records as they are; it does not know NaN."""
        return self.notes.is_plain and not self.notes.has_constants


class _Reader:
    """Reads records whose shape is known."""

    def __init__(self, shape: Shape, schema: dict[str, Any], records: str) -> None:
        self.shape, self.schema, self.records = shape, schema, records
        self.is_mixed = any(one.has_mixed for one in shape.fields.values())

    def frames(self, part: _Part) -> Iterator[pl.DataFrame]:
        """Yield the records of a file."""
        if not self.is_mixed and part.is_plain:
            yield from self._by_polars(part)
        else:
            yield from self._by_python(part)

    def _by_polars(self, part: _Part) -> Iterator[pl.DataFrame]:
        rows = 0
        try:
            with polars_errors(part.file):
                path = glob.escape(str(part.file.path))
                lines = pl.scan_ndjson(path, schema=self.schema)
                for frame in lines.collect_batches(maintain_order=True):
                    rows += frame.height
                    yield frame
        except SourceError:
            deque(read_json_records(part.file, float), maxlen=0)  # says in which record
            raise
        if rows != part.notes.records:
            raise SourceError(
                f"{part.file.shown} has {part.notes.records} records, of which {rows} were read; "
                "run again",
            )

    def _by_python(self, part: _Part) -> Iterator[pl.DataFrame]:
        converters = {name: one.converter() for name, one in self.shape.fields.items()}
        parse = Number.parse if self.is_mixed else float
        found = read_json_records(part.file, parse, records=self.records)
        for batch in batched(found, _FRAME_RECORDS):
            columns = {
                name: self._series(part, batch, name, converters[name]) for name in self.schema
            }
            yield pl.DataFrame(columns)

    def _series(
        self,
        part: _Part,
        batch: Sequence[tuple[int, dict[str, Any]]],
        name: str,
        convert: Callable[[Any], Any] | None,
    ) -> pl.Series:
        values = [record.get(name) for _, record in batch]
        if convert:
            values = [convert(value) for value in values]
        try:
            return pl.Series(name, values, dtype=self.schema[name], strict=True)
        except UnicodeEncodeError:
            for number, record in batch:
                try:
                    json.dumps(record.get(name), ensure_ascii=False).encode()
                except UnicodeEncodeError:
                    raise SourceError(
                        f"{part.file.shown}, record {number}: {name} has half of a surrogate "
                        "pair, which is no character",
                        final=True,
                    ) from None
            raise
        except (PolarsError, TypeError, OverflowError) as error:
            first, last = batch[0][0], batch[-1][0]
            raise SourceError(
                f"{part.file.shown}, records {first} to {last}: {name}: {error}", final=True
            ) from None
