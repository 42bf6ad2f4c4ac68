"""Bronze: the shop's customers as its shop system lists them, one row for each change."""

import random
from datetime import date, timedelta

import polars as pl

from polster_runtime import run

CUSTOMERS = 80
SEGMENTS = ["consumer", "business", "school"]
COUNTRIES = ["DE", "FR", "NL", "AT"]


def extract() -> pl.DataFrame:
    """Return all customers; some stand there twice, because they moved."""
    shop = random.Random(11)
    rows = []
    for customer_id in range(1, CUSTOMERS + 1):
        changed = date(2025, 1, 1) + timedelta(days=shop.randrange(300))
        email = f"customer{customer_id}@example.com"
        row = {
            "customer_id": customer_id,
            "email": shop.choices([email, f" {email.title()} "], [9, 1])[0],
            "segment": shop.choices(SEGMENTS, [6, 3, 1])[0],
            "country": shop.choice(COUNTRIES),
            "changed_on": changed,
        }
        rows.append(row)
        if shop.random() < 0.1:
            moved = {"country": shop.choice(COUNTRIES), "changed_on": changed + timedelta(days=30)}
            rows.append(row | moved)
    return pl.DataFrame(rows)


if __name__ == "__main__":
    run(extract)
