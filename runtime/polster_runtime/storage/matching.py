"""Of many rows, those that belong to some keys, at the cost of those columns alone.

A join reads all columns of all rows. A filter on values goes into the file: what does not belong is
not even unpacked. Of 20 million rows, those of 20,000 numbers cost 0.45 s of CPU and 87 MB in place
of 1.55 s and 144 MB, those of 300,000 0.95 s in place of 3.26 s; of 20,000 texts, 2.35 s in place
of 1.52 s, and of 20 0.87 s in place of 1.43 s.
"""

from collections.abc import Iterator

import polars as pl

FEW_NUMBERS = 300_000
FEW_TEXTS = 1_000


def matching(rows: pl.LazyFrame, keys: pl.DataFrame) -> pl.LazyFrame:
    """The rows whose columns are one of some keys, which have the types of these columns."""
    for values in _filters(keys):
        rows = rows.filter(values)
    return rows.join(keys.lazy(), on=keys.columns, how="semi", nulls_equal=True)


def _filters(keys: pl.DataFrame) -> Iterator[pl.Expr]:
    for name, kind in keys.schema.items():
        exact = kind.is_integer() or isinstance(kind, pl.Date | pl.Datetime)
        if keys.height <= (FEW_NUMBERS if exact else FEW_TEXTS if kind == pl.String else -1):
            values = keys[name].unique().implode()
            yield pl.col(name).is_in(values, nulls_equal=True)
