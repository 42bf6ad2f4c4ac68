"""Silver: valid orders, one row each, with the customer who placed them."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row of silver_example promises; rows that break it are quarantined."""

    order_id = dy.Int64(primary_key=True)
    ordered_at = dy.Datetime(nullable=False)
    shipped_at = dy.Datetime(nullable=True)
    customer_id = dy.Int64(nullable=False)
    email = dy.String(nullable=True, regex=r"^[^@\s]+@[^@\s]+$")
    segment = dy.Enum(["consumer", "business", "school"], nullable=True)
    product = dy.String(nullable=False)
    quantity = dy.Int64(nullable=False, min=1)
    unit_price = dy.Decimal(12, 2, nullable=False, min=0)
    amount = dy.Decimal(12, 2, nullable=False, min=0)

    @dy.rule()
    def customer_is_known(cls) -> pl.Expr:
        """The foreign key: every order belongs to a customer of bronze_customers."""
        return pl.col("segment").is_not_null()

    @dy.rule()
    def shipped_after_it_was_ordered(cls) -> pl.Expr:
        return pl.col("shipped_at").is_null() | (pl.col("shipped_at") >= pl.col("ordered_at"))


def transform(example: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    """Drop what the till sent twice, and add who the customer is today."""
    latest = (
        customers.sort("changed_on")
        .unique("customer_id", keep="last", maintain_order=True)
        .select("customer_id", "segment", pl.col("email").str.strip_chars().str.to_lowercase())
    )
    return example.unique().join(latest, on="customer_id", how="left").sort("order_id")


if __name__ == "__main__":
    run(transform)
