"""Parquet files as frames: partitions from folders, UUID and JSON as text, a union of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.batches import (
    Batches,
    aligned,
    check_file_column,
    merged,
    polars_errors,
    with_file_column,
)
from polster_runtime.sources.files.found_files import DataFile, check_unchanged, versions
from polster_runtime.sources.files.parquet_footer import JSON, UUID, Column, parquet_columns
from polster_runtime.sources.files.scratch import scratch_folder
from polster_runtime.sources.files.union import union_schema
from polster_runtime.sources.files.unpack import unpack_all

_PARTITION = re.compile(r"([^=]+)=(.*)")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")
_BOOLEANS = {"true": True, "false": False}
_HEX_PARTS = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))


def parquet_frames(files: Sequence[DataFile], *, file_column: str = "") -> Batches:
    """Yield the rows of Parquet files.

    Folders such as year=2025 become columns, of integers where all files have one that is written
    as Python writes it (2025, not 01). A column that a file lacks is null in its rows. Raises
    SourceError, which names the file; also where a file has a column of the name of such a folder
    with another value.
    """
    with scratch_folder() as folder:
        before = versions(files)
        parts = [_Part(file) for file in unpack_all(files, folder)]
        partitions = _partition_types(parts)
        for part in parts:
            part.add_partitions(partitions)
        schema = union_schema((part.file, part.schema) for part in parts)
        if file_column:
            check_file_column(file_column, schema)
            schema[file_column] = pl.String()
        if not schema:
            raise SourceError(f"{files[0].shown} has no columns", final=True)
        yield pl.DataFrame(schema=schema)
        yield from merged(
            aligned(with_file_column(frame, file_column, part.file), schema)
            for part in parts
            for frame in part.frames()
        )
        check_unchanged(before)


class _Part:
    """One file, and the columns that it is read as."""

    def __init__(self, file: DataFile) -> None:
        self.file = file
        self.partitions = _partitions(file)
        self.constants: dict[str, Any] = {}
        try:
            columns = parquet_columns(file.path)
        except ValueError as error:
            raise SourceError(f"{file.shown} cannot be read: {error}", final=True) from None
        with polars_errors(file):
            rows = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
            schema = rows.collect_schema()
            self.rows = rows.with_columns(
                _told(pl.col(column.name), schema[column.name], column).alias(column.name)
                for column in columns
                if column.has_kind
            )
            self.schema: dict[str, Any] = dict(self.rows.collect_schema())

    def add_partitions(self, kinds: Mapping[str, Any]) -> None:
        """Add the columns of its folders, of the given types."""
        for name, kind in kinds.items():
            if name in self.partitions and name not in self.schema:
                text = self.partitions[name]
                self.constants[name] = int(text) if text and kind == pl.Int64 else text
                self.schema[name] = kind

    def frames(self) -> Iterator[pl.DataFrame]:
        """Its rows."""
        constants = [
            pl.lit(value, dtype=self.schema[name]).alias(name)
            for name, value in self.constants.items()
        ]
        in_both = [name for name in self.partitions if name not in self.constants]
        with polars_errors(self.file):
            rows = self.rows.with_columns(constants)
            for frame in rows.collect_batches(maintain_order=True):
                for name in in_both:
                    self._check_folder(name, frame[name])
                yield frame

    def _check_folder(self, name: str, values: pl.Series) -> None:
        """Raise SourceError where a column differs from the folder of its name.

        Polars and DuckDB take the value of the folder then.
        """
        text = self.partitions[name]
        same = values.eq_missing(_typed(text, values.dtype))
        if not same.all():
            other = values.filter(~same)[0]
            raise SourceError(
                f"{self.file.shown} is in the folder {name}={_NO_VALUE if text is None else text}, "
                f"but has a row whose {name} is {other}; move the file, or correct or rename its "
                "column",
                final=True,
            )


def _partitions(file: DataFile) -> dict[str, str | None]:
    """Return the values that the folders of a file name."""
    matches = (_PARTITION.fullmatch(part) for part in PurePosixPath(file.name).parts[:-1])
    found = {unquote(match[1]): unquote(match[2]) for match in matches if match}
    return {name: None if text == _NO_VALUE else text for name, text in found.items()}


def _typed(text: str | None, kind: Any) -> pl.Series:
    """Return the value of a folder in the type of a column; null where it is no such value."""
    value = pl.Series([text], dtype=pl.String)
    if kind == pl.Boolean:
        return value.str.to_lowercase().replace_strict(_BOOLEANS, default=None)
    if isinstance(kind, pl.Datetime):
        return value.str.to_datetime(time_unit=kind.time_unit, time_zone=kind.time_zone)
    if kind == pl.Date:
        return value.str.to_date("%Y-%m-%d", strict=False)
    return value.cast(kind, strict=False)


def _partition_types(parts: Sequence[_Part]) -> dict[str, Any]:
    """Return the types of the columns of folders: integers, if all of them are."""
    values: dict[str, set[str]] = {}
    for part in parts:
        for name, text in part.partitions.items():
            values.setdefault(name, set()).update([text] if text is not None else [])
    return {
        name: pl.Int64() if texts and all(map(_INTEGER.fullmatch, texts)) else pl.String()
        for name, texts in values.items()
    }


def _told(value: pl.Expr, kind: Any, column: Column) -> pl.Expr:
    """Return a value whose binary parts are text where the file says that they are UUID or JSON."""
    if column.kind == JSON:
        return value.cast(pl.String)
    if column.kind == UUID:
        digits = value.bin.encode("hex")
        parts = [digits.str.slice(start, count) for start, count in _HEX_PARTS]
        return pl.concat_str(parts, separator="-")
    if isinstance(kind, pl.Struct):
        own = {child.name: child for child in column.children}
        return value.struct.with_fields(
            _told(pl.field(field.name), field.dtype, own[field.name]).alias(field.name)
            for field in kind.fields
            if field.name in own and own[field.name].has_kind
        )
    if isinstance(kind, pl.Map):
        entries = pl.List(pl.Struct({"key": kind.key, "value": kind.value}))
        told = _told(pl.col("entries"), entries, column)
        made: Any = pl.DataFrame(schema={"entries": entries}).select(told).dtypes[0]
        kinds = [field.dtype for field in made.inner.fields]
        return _told(value.cast(entries), entries, column).cast(pl.Map(*kinds))
    if isinstance(kind, pl.List) and column.children:
        return value.list.eval(_told(pl.element(), kind.inner, _element(column)))
    return value


def _element(column: Column) -> Column:
    """Return the element of a list: below a group that repeats, in all forms but the oldest."""
    repeated = column.children[0]
    return repeated.children[0] if len(repeated.children) == 1 else repeated
