"""Formats of files: CSV, JSON, NDJSON, Parquet and Excel become columns and their types."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from polster_runtime.errors import SourceError

FORMATS_BY_SUFFIX = {
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
}
"""What the end of a name says, before .gz, .zst or .zip."""
NOT_A_NUMBER = r"^[+-]?(0\d|\d{16})"
"""Digits that a number would not keep as they are: 007, and more than a float is exact for."""
NDJSON_CHUNK_BYTES = 16 * 1024 * 1024
"""Bytes of NDJSON whose types are looked at together."""


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
    """What else Polars' reader should know, such as {"separator": ";"}."""

    def of(self, file: SftpFile) -> str:
        """The format of a file. Raises SourceError."""
        path = PurePosixPath(file.path.lower())
        suffix = path.with_suffix("").suffix if path.suffix in {".gz", ".zst"} else path.suffix
        kind = self.format or FORMATS_BY_SUFFIX.get(suffix, "")
        if not kind:
            raise SourceError(
                f"{file.path}: its name does not say what is in it; "
                'say it with SFTP(..., format="csv"), or json, ndjson, parquet, excel',
                final=True,
            )
        return "ndjson" if kind == "json" and _is_ndjson(file) else kind


def _is_ndjson(file: SftpFile) -> bool:
    """Whether JSON is an object a line."""
    with file.local.open("rb") as lines:
        try:
            return isinstance(json.loads(lines.readline()), dict)
        except ValueError:
            return False


def _scan_csv(files: Sequence[SftpFile], how: SftpFormat) -> pl.LazyFrame:
    options = {"infer_schema": False, "glob": False, **how.options}
    _common_schema(files, lambda file: pl.scan_csv(file.local, **options).collect_schema())
    texts = pl.scan_csv(
        [file.local for file in files],
        infer_schema_files=len(files),
        missing_columns="insert",
        include_file_paths=how.file_column or None,
        **options,
    )
    return texts if how.schema else _with_inferred_types(texts, how.file_column)


def _with_inferred_types(texts: pl.LazyFrame, file_column: str) -> pl.LazyFrame:
    """Columns of text as what all of their values are: integers, numbers, true and false."""
    kinds = texts.collect_schema()
    columns = [pl.col(name) for name in kinds if kinds[name] == pl.String and name != file_column]
    looks: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "any": lambda text: text.count(),
        "bool": lambda text: text.is_in(["true", "false"]).sum(),
        "int": lambda text: text.cast(pl.Int64, strict=False).count(),
        "float": lambda text: text.cast(pl.Float64, strict=False).count(),
        "odd": lambda text: text.str.contains(NOT_A_NUMBER).sum(),
    }
    counts = texts.select(
        look(text).alias(f"{name} {text.meta.output_name()}")
        for text in columns
        for name, look in looks.items()
    ).collect(engine="streaming")
    return texts.with_columns(
        _typed(text, {name: counts[f"{name} {text.meta.output_name()}"].item() for name in looks})
        for text in columns
    )


def _typed(text: pl.Expr, count: Mapping[str, int]) -> pl.Expr:
    """A column of text as what its values are; `count` says how many of them look like what."""
    if not count["any"]:
        return text.cast(pl.Null)
    if count["bool"] == count["any"]:
        return text == "true"
    if not count["odd"] and count["int"] == count["any"]:
        return text.cast(pl.Int64)
    if not count["odd"] and count["float"] == count["any"]:
        return text.cast(pl.Float64)
    return text


def _scan_ndjson(files: Sequence[SftpFile], how: SftpFormat) -> pl.LazyFrame:
    return pl.scan_ndjson(
        [file.local for file in files],
        schema=_common_schema(files, _ndjson_schema),
        include_file_paths=how.file_column or None,
        **how.options,
    )


def _ndjson_schema(file: SftpFile) -> pl.Schema:
    """The columns of NDJSON, whose types are those of all lines."""
    if file.path.lower().endswith(".zst"):
        return pl.scan_ndjson(file.local, infer_schema_length=None).collect_schema()
    found = pl.Schema()
    with file.local.open("rb") as lines:
        while chunk := lines.readlines(NDJSON_CHUNK_BYTES):
            kinds = pl.read_ndjson(b"".join(chunk), infer_schema_length=None).schema
            found = _merged_schema(found, kinds)
    return found


def _scan_parquet(files: Sequence[SftpFile], how: SftpFormat) -> pl.LazyFrame:
    alike: dict[tuple[Any, ...], list[Path]] = {}

    def schema(file: SftpFile) -> pl.Schema:
        kinds = pl.scan_parquet(file.local, glob=False).collect_schema()
        alike.setdefault(tuple(kinds.items()), []).append(file.local)
        return kinds

    _common_schema(files, schema)
    column = how.file_column or None
    return pl.concat(
        [pl.scan_parquet(some, glob=False, include_file_paths=column) for some in alike.values()],
        how="diagonal_relaxed",
    )


def _scan_json(files: Sequence[SftpFile], how: SftpFormat) -> pl.LazyFrame:
    return _scan_by_parquet(files, how, lambda file: pl.read_json(file, infer_schema_length=None))


def _scan_excel(files: Sequence[SftpFile], how: SftpFormat) -> pl.LazyFrame:
    read: Callable[..., pl.DataFrame] = pl.read_excel
    options = {**({"sheet_name": how.sheet} if how.sheet else {}), **how.options}
    return _scan_by_parquet(files, how, lambda file: read(file, **options))


def _scan_by_parquet(
    files: Sequence[SftpFile], how: SftpFormat, read: Callable[[Path], pl.DataFrame]
) -> pl.LazyFrame:
    """Files that can only be read whole: one after the other, and then from Parquet."""
    again = []
    for file in files:
        rows = read(file.local)
        nothing = [name for name in rows.columns if rows[name].null_count() == rows.height]
        local = Path(f"{file.local}.held")
        rows.with_columns(pl.col(nothing).cast(pl.Null)).write_parquet(local)
        again.append(replace(file, local=local))
    rows_of_all = _scan_parquet(again, how)
    if not how.file_column:
        return rows_of_all
    names = {str(new.local): str(old.local) for new, old in zip(again, files, strict=True)}
    return rows_of_all.with_columns(pl.col(how.file_column).replace_strict(names))


def _common_schema(files: Sequence[SftpFile], schema: Callable[[SftpFile], pl.Schema]) -> pl.Schema:
    """The columns of all files. Raises SourceError for one that has none of the others'."""
    found = pl.Schema()
    for file in files:
        own = schema(file)
        if found and not found.keys() & own.keys():
            raise SourceError(
                f"{file.path} has none of the columns of the other files: "
                f"{', '.join(own)}; they have {', '.join(found)}; "
                "is it one of them? If so, narrow the pattern",
                final=True,
            )
        found = _merged_schema(found, own)
    return found


def _merged_schema(one: pl.Schema, other: pl.Schema) -> pl.Schema:
    """All columns of two schemas, of types that hold the values of both."""
    if not one or one == other:
        return other
    frames = [pl.DataFrame(schema=one), pl.DataFrame(schema=other)]
    return pl.concat(frames, how="diagonal_relaxed").schema


SCANNERS: dict[str, Callable[[Sequence[SftpFile], SftpFormat], pl.LazyFrame]] = {
    "csv": _scan_csv,
    "json": _scan_json,
    "ndjson": _scan_ndjson,
    "parquet": _scan_parquet,
    "excel": _scan_excel,
}
