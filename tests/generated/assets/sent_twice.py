"""Bronze: the orders as the shop exports them, one of them sent twice."""

import polars as pl

from polster_runtime import run


def extract() -> pl.DataFrame:
    """Return all orders."""
    return pl.DataFrame({"order_id": ["1", "2", "2"], "amount": ["9.50", "20.00", "20.00"]})


if __name__ == "__main__":
    run(extract)
