"""Downloaded files as one stream of rows, packed or not."""

import gzip
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.sftp.formats import SCANNERS, SftpFile, SftpFormat

__all__ = ["SftpFile", "SftpFormat", "load_sftp_data"]

FRAME_ROWS = 50_000
"""Rows that are handed on together: of many small files, too."""


def load_sftp_data(
    files: Sequence[SftpFile], how: SftpFormat | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of downloaded files, batch by batch, all with the same columns.

    A column that a file lacks is null in its rows. In text, a column of numbers is one of numbers,
    unless that would change them (007); one without any value has the type Null, which goes with
    all others. Raises SourceError, which names the file.
    """
    how = how or SftpFormat()
    parts = [part for file in files for part in _unpacked(file) if part.local.stat().st_size]
    if not parts:
        names = {**(how.schema or {}), **({how.file_column: pl.String} if how.file_column else {})}
        yield pl.DataFrame(schema=names)
        return
    try:
        rows = _scan_files(parts, how)
        yield pl.DataFrame(schema=rows.collect_schema())
        yield from rows.collect_batches(chunk_size=FRAME_ROWS)
    except pl.exceptions.PolarsError as error:
        raise SourceError(_culprit(parts, how, error), final=True) from None


def _scan_files(files: Sequence[SftpFile], how: SftpFormat) -> pl.LazyFrame:
    kinds: dict[str, list[SftpFile]] = {}
    for file in files:
        kinds.setdefault(how.of(file), []).append(file)
    rows = pl.concat(
        [SCANNERS[kind](some, how) for kind, some in kinds.items()], how="diagonal_relaxed"
    )
    if how.file_column:
        # A name that is not UTF-8 has signs that no column can hold.
        paths = {str(file.local): file.path.encode("utf-8", "replace").decode() for file in files}
        rows = rows.with_columns(pl.col(how.file_column).replace_strict(paths))
    return _with_schema(rows, how, files) if how.schema else rows


def _with_schema(rows: pl.LazyFrame, how: SftpFormat, files: Sequence[SftpFile]) -> pl.LazyFrame:
    """The columns that the schema names, of its types. Raises SourceError for others."""
    wanted, kinds = dict(how.schema or {}), rows.collect_schema()
    differ = (wanted.keys() ^ kinds.keys()) - {how.file_column}
    if differ:
        of_one = {file: _scan_files([file], replace(how, schema=None)) for file in files[1:]}
        names = (file for file in of_one if differ & of_one[file].collect_schema().keys())
        culprit = next(names, files[0]).path
        raise SourceError(f"{culprit}: columns differ from the schema: {', '.join(sorted(differ))}")
    columns = [
        pl.col(name) == "true"
        if kinds[name] == pl.String and kind == pl.Boolean
        else pl.col(name).cast(kind)
        for name, kind in wanted.items()
    ]
    return rows.select(*columns, *([how.file_column] if how.file_column else []))


def _culprit(files: Sequence[SftpFile], how: SftpFormat, error: Exception) -> str:
    """What is wrong with which file: the first that cannot be read on its own."""
    for file in files:
        try:
            for _ in _scan_files([file], how).collect_batches():
                pass
        except pl.exceptions.PolarsError as own:
            return f"{file.path} cannot be read: {str(own).splitlines()[0]}"
    return f"the files do not go together: {str(error).splitlines()[0]}"


def _unpacked(file: SftpFile) -> Iterator[SftpFile]:
    """A file, or what it holds. Polars unpacks .zst itself."""
    suffix, local = PurePosixPath(file.path.lower()).suffix, file.local.with_suffix("")
    try:
        if suffix == ".gz":
            with gzip.open(file.local) as source, local.open("wb") as target:
                shutil.copyfileobj(source, target)
            yield replace(file, local=local)
        elif suffix == ".zip":
            with zipfile.ZipFile(file.local) as archive:
                for number, member in enumerate(archive.infolist()):
                    if not member.is_dir() and not member.filename.startswith("__MACOSX"):
                        kind = PurePosixPath(member.filename.lower()).suffix
                        local = file.local.with_suffix(f".{number}{kind}")
                        with archive.open(member) as source, local.open("wb") as target:
                            shutil.copyfileobj(source, target)
                        yield replace(file, path=f"{file.path}/{member.filename}", local=local)
        else:
            yield file
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{file.path} cannot be unpacked: {error}", final=True) from None
