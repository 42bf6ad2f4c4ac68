"""PostgreSQL, as bronze assets read it: `Postgres(table="sales.orders").read()`."""

from polster_postgres.source import Postgres

__all__ = ["Postgres"]
