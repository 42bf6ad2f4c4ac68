"""Rows as PostgreSQL writes them (COPY), in frames of a bounded size."""

from collections.abc import Iterator

import polars as pl
from psycopg import sql

from polster_postgres.columns import Column
from polster_postgres.session import Link
from polster_runtime.errors import SourceError

BATCH_BYTES = 8_000_000
"""How much is held in memory at once: bytes of rows, as text."""


def frames(link: Link, rows: sql.Composable, columns: list[Column]) -> Iterator[pl.DataFrame]:
    """The rows in batches; one that is empty where there are none."""
    size, lines, some = 0, [b""], False
    with link.cursor().copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(rows)) as copy:
        for line in copy:  # PostgreSQL sends one row at a time
            lines.append(bytes(line))
            size += len(line)
            if size >= BATCH_BYTES:
                yield _frame(lines, columns)
                size, lines, some = 0, [b""], True
    if size or not some:
        yield _frame(lines, columns)


def _frame(lines: list[bytes], columns: list[Column]) -> pl.DataFrame:
    """Lines of CSV as rows. Raises SourceError for a value that Polars has no type for."""
    # The last column, always 1, keeps a line with nothing but a NULL from being empty.
    schema = {str(number): column.arrives_as for number, column in enumerate(columns)}
    texts = pl.read_csv(
        b"".join(lines),
        has_header=False,
        schema={**schema, "end": pl.String},
        raise_if_empty=False,
    )
    parsed = []
    for number, column in enumerate(columns):
        try:
            parsed.append(
                texts.select(column.parse(pl.col(str(number))).alias(column.name)).to_series()
            )
        except pl.exceptions.PolarsError as error:
            raise SourceError(
                f"column {column.name} ({column.kind}) has values that Polars has no room for: "
                f"{_values(error)}; select it otherwise, as the guide says",
                final=True,
            ) from None
    return pl.DataFrame(parsed)


def _values(error: pl.exceptions.PolarsError) -> str:
    """The values that Polars names in its message."""
    line = str(error).partition("\n")[0]
    return line.partition("values: ")[2].replace('"~', '"') or line
