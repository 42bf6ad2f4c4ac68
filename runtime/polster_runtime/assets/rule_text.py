"""The rules of a contract in words."""

import dataframely as dy

COMPARISONS = {"min": ">=", "min_exclusive": ">", "max": "<=", "max_exclusive": "<"}
LENGTHS = {"min_length": "at least", "max_length": "at most"}
PLAIN = {
    "nullability": "is not null",
    "unique": "is unique",
    "nan": "is not NaN",
    "inf": "is not infinite",
    "check": "passes its check",
}


def rule_in_words(contract: type[dy.Schema], rule: str) -> str:
    """What a rule asks for: `amount|min` is "amount >= 0"; a rule of one's own is its name.

    So is one that the contract no longer has: rejected rows keep the rules of their day.
    """
    if rule == "primary_key" and contract.primary_key():
        return f"{', '.join(contract.primary_key())} is unique"
    name, bar, kind = rule.partition("|")
    if not bar:
        return rule.replace("_", " ")
    column = contract.columns().get(name)
    limit = getattr(column, kind, None)
    if column is None or (limit is None and kind not in {*PLAIN, "dtype", "exact"}):
        return f"{name} {kind.replace('_', ' ')}"
    if kind in COMPARISONS:
        return f"{name} {COMPARISONS[kind]} {limit}"
    if kind in LENGTHS:
        return f"{name} has {LENGTHS[kind]} {limit} characters"
    if kind == "regex":
        return f"{name} matches {limit}"
    if kind == "is_in":
        return f"{name} is one of {_listed(limit)}"
    if kind == "exact":
        return f"{name} is {column.dtype} without a change"
    if kind == "dtype":
        return _type_in_words(name, column)
    return f"{name} {PLAIN.get(kind, kind.replace('_', ' '))}"


def _type_in_words(name: str, column: dy.Column) -> str:
    if isinstance(column, dy.Enum):
        return f"{name} is one of {_listed(column.categories)}"
    return f"{name} is {column.dtype}"


def _listed(values: object) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list | tuple) else str(values)
