"""The rules of a contract, one by one: what they read, and whether they look at other rows.

dataframely has no public way to a rule of one's own; where its `RuleFactory` is another one day,
such a rule counts as one that looks at other rows and whose columns are not known. Nor has it one
to the query of the rows that failed; without it they are split after they were computed.
"""

from collections.abc import Iterator
from typing import Any

import dataframely as dy
import polars as pl

RULE = type(dy.rule()(lambda cls: pl.lit(True)))
"""What `@dy.rule()` makes of a function."""

APART = "polster apart"
"""A column that no rule reads."""


def own_rules(contract: type[dy.Schema]) -> Iterator[tuple[str, pl.Expr | None]]:
    """The rules that were written for a contract, and the `check`s of its columns."""
    seen = set[str]()
    for base in contract.__mro__:
        for name, made in vars(base).items():
            if isinstance(made, RULE) and name not in seen:
                seen.add(name)
                function = getattr(made, "validation_fn", None)
                yield name, None if function is None else function(contract)
    for name, column in contract.columns().items():
        for rule, expression in column.validation_rules(pl.col(name)).items():
            if rule.startswith("check"):
                yield f"{name}|{rule}", expression


def has_own(contract: type[dy.Schema]) -> bool:
    """Whether a rule was written for a contract: only such a rule can raise."""
    return any(isinstance(made, RULE) for base in contract.__mro__ for made in vars(base).values())


def look_at_other_rows(contract: type[dy.Schema]) -> bool:
    """Whether a row may break a rule because another row has gone.

    Keys and `unique` need not be looked at: fewer rows never break them.
    """
    rows = contract.create_empty().lazy()
    return any(rule is None or not _is_row_wise(rows, rule) for _, rule in own_rules(contract))


def query_of(failure: Any) -> pl.LazyFrame | None:
    """The rows that failed, with the results of all rules, not yet computed; None: unknown."""
    query = getattr(failure, "_lf", None)
    return query if isinstance(query, pl.LazyFrame) else None


def columns_of(contract: type[dy.Schema], rule: str) -> list[str]:
    """The columns that a rule reads, as far as the contract still has it."""
    if rule == "primary_key":
        return contract.primary_key()
    name, bar, _ = rule.partition("|")
    if bar:
        return [name]
    expression = dict(own_rules(contract)).get(rule)
    return [] if expression is None else list(dict.fromkeys(expression.meta.root_names()))


def failing(contract: type[dy.Schema], rows: pl.LazyFrame) -> str:
    """The first rule that cannot be evaluated on rows of the contract's types, in words."""
    rules: dict[str, pl.Expr | None] = dict(own_rules(contract))
    for name, column in contract.columns().items():
        made = column.validation_rules(pl.col(name))
        rules |= {f"{name}|{rule}": expression for rule, expression in made.items()}
    for rule, expression in rules.items():
        try:
            rows.select(pl.lit(True) if expression is None else expression).collect()
        except Exception:
            columns = ", ".join(columns_of(contract, rule))
            return f"the rule {rule} (of {columns})" if columns else f"the rule {rule}"
    return "a rule"


def _is_row_wise(rows: pl.LazyFrame, rule: pl.Expr) -> bool:
    """Whether a rule looks at one row at a time: only then Polars filters before it."""
    apart = rows.with_columns(pl.lit(None).alias(APART)).collect().lazy()
    filtered = apart.with_columns(rule.alias(f"{APART} rule")).filter(pl.col(APART).is_null())
    return not filtered.explain().lstrip().startswith("FILTER")
