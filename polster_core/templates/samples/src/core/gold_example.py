"""Gold: which customers bring in the money, and is it growing?"""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row of gold_example promises; one row that breaks it fails the run."""

    segment = dy.String(primary_key=True)
    customers = dy.UInt32(nullable=False, min=1)
    orders = dy.UInt32(nullable=False, min=1)
    revenue = dy.Decimal(14, 2, nullable=False, min=0)
    avg_order = dy.Float64(nullable=False, min=0)
    growth_percent = dy.Float64(nullable=True)


def aggregate(example: pl.LazyFrame) -> pl.LazyFrame:
    """Sum up each segment; growth is its last 90 days against all days before, day by day."""
    end = pl.col("ordered_at").max()
    recent = pl.col("ordered_at") > end - pl.duration(days=90)
    days_before = (end - pl.col("ordered_at").min()).dt.total_days() - 90
    revenue_a_day = pl.col("amount").filter(~pl.col("recent")).sum() / pl.col("days_before").first()
    recent_a_day = pl.col("amount").filter("recent").sum() / 90
    return (
        example.with_columns(recent=recent, days_before=days_before)
        .group_by("segment")
        .agg(
            customers=pl.col("customer_id").n_unique(),
            orders=pl.len(),
            revenue=pl.col("amount").sum(),
            avg_order=pl.col("amount").mean().round(2),
            growth_percent=((recent_a_day / revenue_a_day - 1) * 100).cast(pl.Float64).round(1),
        )
        .sort("revenue", descending=True)
    )


if __name__ == "__main__":
    run(aggregate)
