"""Excel workbooks as frames: every cell as what it is, text where the cells of a column differ.

A sheet whose columns are of one type each is read by fastexcel. It would turn what does not fit
into nulls, so that others are read cell by cell with python-calamine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache, partial
from typing import Any

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.batches import (
    Batches,
    aligned,
    check_file_column,
    merged,
    with_file_column,
)
from polster_runtime.sources.files.excel_cells import cell_text, narrowed, series
from polster_runtime.sources.files.excel_dates import check_dates, has_odd_dates
from polster_runtime.sources.files.excel_errors import (
    SheetNotes,
    check_plain,
    look_at_beginning,
    look_at_cells,
)
from polster_runtime.sources.files.found_files import DataFile, check_unchanged, versions
from polster_runtime.sources.files.scratch import scratch_folder
from polster_runtime.sources.files.union import exact_supertype
from polster_runtime.sources.files.unpack import unpack_all

LOCK_FILES = ("~$",)
"""How the names of files begin that Excel writes while a workbook is open."""
_TITLE_ROWS = 50
"""How many rows may be above the header, if it is to be found."""
_UNNAMED = "__UNNAMED__"


def excel_frames(
    files: Sequence[DataFile],
    *,
    sheet: str | int = "",
    header_row: int | None = None,
    file_column: str = "",
) -> Batches:
    """Yield the rows of workbooks.

    `sheet` is a name, a number from 1 on, or a pattern such as 20*, whose sheets come one after the
    other; the first if it is not given. The header is the first row with more than one cell, or
    `header_row`, the first being 1. Raises SourceError, which names the file and the sheet.
    """
    with scratch_folder() as folder:
        before = versions(files)
        tables = [
            (file, table)
            for file in unpack_all(files, folder)
            for table in _tables(file, sheet, header_row)
            if table.width
        ]
        schema = _union([table for _, table in tables])
        if not schema:
            raise SourceError(f"{files[0].shown} is empty: there is no header", final=True)
        if file_column:
            check_file_column(file_column, schema)
            schema[file_column] = pl.String()
        yield pl.DataFrame(schema=schema)
        yield from merged(
            aligned(with_file_column(_as_types(table, schema), file_column, file), schema)
            for file, table in tables
        )
        check_unchanged(before)


def _tables(file: DataFile, sheet: str | int, header_row: int | None) -> Iterator[pl.DataFrame]:
    fastexcel, calamine = _libraries()
    check_plain(file)
    with _errors_named(file, (fastexcel.FastExcelError, calamine.CalamineError)):
        reader = fastexcel.read_excel(str(file.path))
        book = cache(partial(calamine.load_workbook, str(file.path)))
        chosen = chosen_sheets(reader.sheet_names, sheet, file)
        found = [_table(file, reader, book, name, header_row) for name in chosen]
        if not any(table.width for table in found):
            kinds = {one.name: one.typ for one in book().sheets_metadata}
            cells = calamine.SheetTypeEnum.WorkSheet
            charts = {name for name, kind in kinds.items() if kind != cells}
            others = [name for name in reader.sheet_names if name not in charts]
            if charts.issuperset(chosen) and others:
                if str(sheet):
                    raise SourceError(
                        f"{file.shown}, sheet {chosen[0]} is a chart, which has no rows; others: "
                        f"{', '.join(others)}",
                        final=True,
                    )
                found = [_table(file, reader, book, others[0], header_row)]
        yield from found


def _table(
    file: DataFile, reader: Any, book: Callable[[], Any], name: str, header_row: int | None
) -> pl.DataFrame:
    """Return a sheet; `book` opens its workbook with python-calamine."""
    begins = look_at_beginning(file, name)
    by_cell = header_row is not None or begins.is_mixed
    look = partial(look_at_cells, file, name, reader.sheet_names.index(name))
    # Libraries that parse leave Python to others meanwhile.
    with ThreadPoolExecutor(1) as pool:
        notes = pool.submit(look).result if by_cell or begins.has_gaps else cache(look)
        found = None if by_cell else _by_column(reader, name, notes, file)
        if found is None:
            rows = book().get_sheet_by_name(name).to_python(skip_empty_area=False)
            for (row, column), text in notes().errors.items():
                rows[row][column] = text
            check_dates(rows, file, name)
            found = _by_cell(rows, header_row, f"{file.shown}, sheet {name}")
    return found


def _libraries() -> tuple[Any, Any]:
    """Return the packages that read workbooks. Raises SourceError where one is missing."""
    try:
        import fastexcel
        import python_calamine
    except ImportError as error:
        raise SourceError(
            f"workbooks need the package {error.name}, which is not installed; add fastexcel and "
            "python-calamine to the project's dependencies, then:  polster setup",
            final=True,
        ) from None
    # It warns of each empty column.
    logging.getLogger("fastexcel").setLevel(logging.ERROR)
    return fastexcel, python_calamine


@contextmanager
def _errors_named(file: DataFile, kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        said = (str(error).splitlines() or [""])[0]
        raise SourceError(f"{file.shown} cannot be read: {said}", final=True) from None


def chosen_sheets(names: Sequence[str], sheet: str | int, file: DataFile) -> list[str]:
    """Return the sheets of a name, a number, or a pattern. Raises SourceError if there is none."""
    text = str(sheet)
    if not text:
        found = list(names[:1])
    elif text in names:
        found = [text]
    elif text.isdecimal():
        found = list(names[int(text) - 1 : int(text)]) if int(text) else []
    else:
        found = [name for name in names if fnmatchcase(name, text)]
    if not found:
        raise SourceError(
            f"{file.shown} has no sheet {text or 1}; it has {', '.join(names) or 'none'}",
            final=True,
        )
    return found


def _by_column(
    reader: Any, name: str, notes: Callable[[], SheetNotes], file: DataFile
) -> pl.DataFrame | None:
    """Return a sheet, if each of its columns has a name and cells of one type; None if not."""
    import fastexcel

    try:
        sheet = reader.load_sheet(name, schema_sample_rows=None, dtype_coercion="strict")
        table: pl.DataFrame = sheet.to_polars()
        if any(map(_has_gaps, table)) and (
            notes().errors or not _empty_cells_only(reader, name, table, notes().values)
        ):
            return None
    except fastexcel.FastExcelError:
        return None
    if not table.width or any(column.startswith(_UNNAMED) for column in table.columns):
        return None
    for column in table.iter_columns():
        if isinstance(column.dtype, pl.Datetime) and has_odd_dates(column, file, name):
            return None
    return _without_empty_rows(pl.DataFrame([narrowed(one) for one in table.iter_columns()]))


def _has_gaps(column: pl.Series) -> bool:
    return bool(column.null_count()) or (column.dtype == pl.String and "" in column)


def _empty_cells_only(reader: Any, name: str, table: pl.DataFrame, values: int) -> bool:
    """Whether nulls are empty cells, and not texts such as n/a, which fastexcel passes over."""
    doubtful = [
        number
        for number, column in enumerate(table.iter_columns())
        if column.dtype != pl.String and column.null_count()
    ]
    filled = sum(len(column) - column.null_count() for column in table.iter_columns())
    if not doubtful or values == filled + table.width:  # and the header
        return True
    texts = reader.load_sheet(name, use_columns=doubtful, dtypes="string").to_polars()
    if any(table.to_series(number).dtype.is_temporal() for number in doubtful):
        return False  # of a number that is no date, nothing is told either
    nulls = [table.to_series(number).null_count() for number in doubtful]
    return [column.null_count() for column in texts.iter_columns()] == nulls


def _by_cell(rows: Sequence[Sequence[Any]], header_row: int | None, place: str) -> pl.DataFrame:
    """Return a sheet cell by cell."""
    position = _header_position(rows) if header_row is None else header_row - 1
    if header_row is not None and not 0 <= position < len(rows):
        raise SourceError(f"{place} has no row {header_row}", final=True)
    if not rows:
        return pl.DataFrame()
    header, below = _filled(rows[position]), rows[position + 1 :]
    columns = [_filled(cells) for cells in zip(*below, strict=False)] or [[]] * len(header)
    named = [
        (name, values)
        for name, values in zip(header, columns, strict=True)
        if name is not None or any(value is not None for value in values)
    ]
    names = _names([name for name, _ in named])
    table = pl.DataFrame(
        [series(name, values) for name, (_, values) in zip(names, named, strict=True)]
    )
    return _without_empty_rows(table)


def _filled(cells: Sequence[Any]) -> list[Any]:
    return [None if cell == "" else cell for cell in cells] if "" in cells else list(cells)


def _header_position(rows: Sequence[Sequence[Any]]) -> int:
    """Return the first row with more than one cell; of a sheet of one column the first with any."""
    counts = [sum(cell != "" for cell in row) for row in rows[:_TITLE_ROWS]]
    least = 2 if any(count > 1 for count in counts) else 1
    return next((number for number, count in enumerate(counts) if count >= least), 0)


def _names(header: Sequence[Any]) -> list[str]:
    names: dict[str, None] = {}
    last: dict[str, int] = {}
    for number, cell in enumerate(header, start=1):
        first = name = f"column_{number}" if cell is None else cell_text(cell)
        while name in names:
            last[first] = last.get(first, 0) + 1
            name = f"{first}_{last[first]}"
        names[name] = None
    return list(names)


def _without_empty_rows(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(~pl.all_horizontal(pl.all().is_null())) if table.width else table


def _union(tables: Sequence[pl.DataFrame]) -> dict[str, Any]:
    """All columns of some tables; text where they differ."""
    found: dict[str, Any] = {}
    for table in tables:
        for name, kind in table.schema.items():
            known = found.get(name, kind)
            numbers = {known, kind} <= {pl.Int64(), pl.Float64()}
            both = pl.Float64() if numbers and known != kind else exact_supertype(known, kind)
            found[name] = pl.String() if both is None else both
    return found


def _as_types(table: pl.DataFrame, schema: dict[str, Any]) -> pl.DataFrame:
    """Return a table whose columns are text where the schema says so."""
    columns = []
    for column in table.iter_columns():
        kind = column.dtype
        if schema[column.name] == pl.String and kind not in {pl.String, pl.Null}:
            texts = [None if value is None else cell_text(value) for value in column]
            columns.append(pl.Series(column.name, texts, dtype=pl.String))
        else:
            columns.append(column)
    return pl.DataFrame(columns)
