"""Tables of SQLite databases; the position is the last `rowid` that was read."""

import sqlite3
from collections.abc import Generator
from contextlib import closing
from typing import Any

import polars as pl

from polster_runtime.config.environment import variables
from polster_runtime.errors import SourceError


def new_rows(table: str, position: Any) -> Generator[pl.DataFrame, None, Any]:
    """Yield the rows of a table behind a position, and return the new one."""
    path = variables().get("SQLITE_FILE", "")
    quoted = table.replace('"', '""')
    statement = f'SELECT rowid AS _row, * FROM "{quoted}" WHERE rowid > ?'  # noqa: S608 - quoted
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            cursor = database.execute(statement, (position or 0,))
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise SourceError(f"SQLITE_FILE={path}, table {table}: {error}") from error
    yield pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    return rows[-1][0] if rows else position
