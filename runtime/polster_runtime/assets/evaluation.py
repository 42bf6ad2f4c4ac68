"""Rows as a contract is evaluated on them, and the rejected ones as they came."""

from typing import Any

import dataframely as dy
import polars as pl

from polster_runtime.assets import casts

BROKEN = "_broken_rules"
"""The column that says which rules a rejected row broke."""
CAME = "polster: "
"""Before the name of a column: its values as they came."""
ROW = "polster row"
"""The number of a row."""
ALWAYS = "polster always"


class Evaluation:
    """A contract, extended by rules about the casts that its columns need.

    `contract` is evaluated on `prepared` rows: its columns are cast, with null in place of a value
    that a cast would change, and what came stays beside them.
    """

    def __init__(self, contract: type[dy.Schema], schema: pl.Schema, *, numbered: bool) -> None:
        """Extend a contract for rows of a schema; `numbered` is needed for `without`."""
        columns = contract.columns()
        self.numbered = numbered
        self.schema, self.names = schema, contract.column_names()
        self.cast = {n: c for n, c in columns.items() if casts.is_needed(schema[n], c)}
        self.kept = [name for name in schema if name in self.cast or name not in columns]
        """The columns that are kept as they came, beside those of the contract."""
        self.cast_rules = dict[str, pl.Expr]()
        for name, column in self.cast.items():
            came, made = pl.col(f"{CAME}{name}"), self._made(name, f"{CAME}{name}")
            unchanged = casts.is_unchanged(came, made, schema[name], column)
            self.cast_rules[f"{name}|dtype"] = came.is_null() | made.is_not_null()
            self.cast_rules[f"{name}|exact"] = unchanged
        extra: dict[str, Any] = {f"{CAME}{name}": dy.Any() for name in self.kept}
        rules = self.cast_rules or {ALWAYS: pl.lit(True)}
        extra |= {name: _rule(expression) for name, expression in rules.items()}
        extra |= {ROW: dy.Any()} if numbered else {}
        extra["__module__"] = contract.__module__
        self.contract: type[dy.Schema] = type(contract.__name__, (contract,), extra)

    def prepared(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Rows for `contract`."""
        prepared = rows.select(
            *(pl.col(name).alias(f"{CAME}{name}") for name in self.kept),
            *(self._exact(name) if name in self.cast else pl.col(name) for name in self.names),
        )
        return prepared.with_row_index(ROW) if self.numbered else prepared

    def impossible(self, rows: pl.LazyFrame) -> str | None:
        """A cast that Polars does not know, in words. All rows are read: for errors only."""
        for name, column in self.cast.items():
            try:
                rows.select(self._made(name, name)).collect()
            except pl.exceptions.PolarsError:
                kind = self.schema[name]
                return f"{name} is {kind}, which cannot become {column.dtype} as the contract says"
        return None

    def without(self, rows: pl.LazyFrame, bad: pl.LazyFrame) -> pl.LazyFrame:
        """Prepared rows without those that were rejected."""
        numbers = bad.select(ROW).collect().to_series()
        return rows.filter(~pl.col(ROW).is_in(numbers.implode()))

    def rules_of(self, bad: pl.LazyFrame) -> list[str]:
        """The rules whose results are beside evaluated rows."""
        known = {*self.names, ROW, ALWAYS, *(f"{CAME}{name}" for name in self.kept)}
        return [name for name in bad.collect_schema() if name not in known]

    def rejected(self, bad: pl.LazyFrame) -> pl.LazyFrame:
        """Evaluated rows as they came, with the rules that they broke.

        Where a cast failed, no other rule tells anything.
        """
        cast = [pl.col(name) for name in self.cast_rules]
        castable = pl.all_horizontal(cast) if cast else pl.lit(True)
        broken = [
            pl.when(~pl.col(rule) & (rule in self.cast_rules or castable)).then(pl.lit(rule))
            for rule in self.rules_of(bad)
        ]
        came = (f"{CAME}{name}" if name in self.kept else name for name in self.schema)
        return bad.select(
            *(pl.col(kept).alias(name) for kept, name in zip(came, self.schema, strict=True)),
            pl.concat_list(broken).list.drop_nulls().alias(BROKEN),
        )

    def _made(self, name: str, came: str) -> pl.Expr:
        return casts.cast(pl.col(came), self.schema[name], self.cast[name])

    def _exact(self, name: str) -> pl.Expr:
        """A column as the contract has it; null where a value would change."""
        made = self._made(name, name)
        same = casts.is_unchanged(pl.col(name), made, self.schema[name], self.cast[name])
        return pl.when(same).then(made).alias(name)


def _rule(expression: pl.Expr) -> Any:
    return dy.rule()(lambda cls: expression)
