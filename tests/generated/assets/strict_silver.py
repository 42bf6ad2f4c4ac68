"""A contract with a rule of each kind, that publishes whatever part of the rows keeps it."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row promises."""

    n = dy.Int64(nullable=False)
    id = dy.Int64(primary_key=True)
    amount = dy.Float64(nullable=False, min=0, max=100)
    kind = dy.Enum(["a", "b"], nullable=True)
    low = dy.Int64(nullable=True)
    high = dy.Int64(nullable=True)

    @dy.rule()
    def low_is_below_high(cls) -> pl.Expr:
        """Hold where both are known."""
        return pl.col("low") <= pl.col("high")


MAX_REJECTED = 1.0


def transform(df: pl.LazyFrame) -> pl.LazyFrame:
    """Pass the rows on."""
    return df


if __name__ == "__main__":
    run(transform)
