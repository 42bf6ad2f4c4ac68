"""Keys in the types of the rows that an asset stores, where those of its upstream asset differ."""

from collections.abc import Iterator, Mapping

import polars as pl

from polster_runtime.assets import casts
from polster_runtime.assets.contract import Contract
from polster_runtime.errors import AssetError

EXAMPLES = 3
STORED = "polster: "
"""Before the name of a key's column: its value as it is stored."""

Kinds = Mapping[str, pl.DataType]


def as_stored(keys: pl.DataFrame, kinds: Kinds, contract: Contract | None) -> pl.DataFrame:
    """Keys as a contract makes them, without those that it rejects: no row has one of these.

    Raises AssetError for a cast that Polars does not know.
    """
    return _renamed(_beside(keys, kinds, contract), kinds)


def groups_as_stored(groups: pl.DataFrame, kinds: Kinds, contract: Contract | None) -> pl.DataFrame:
    """Groups as a contract makes their keys. Raises AssetError when others may become the same.

    "1" and "01" are two groups upstream, and 1 is one: the rows of one would replace the other's.
    """
    beside = _beside(groups, kinds, contract)
    changed = [
        pl.col(f"{STORED}{name}").cast(kind, strict=False).ne_missing(pl.col(name))
        for name, kind in groups.schema.items()
        if kind != kinds[name]
    ]
    blurred = beside.filter(pl.any_horizontal(changed)) if changed else beside.clear()
    if blurred.height:
        was = _texts(blurred.select(groups.columns))
        raise AssetError(
            f"{_texts(_renamed(blurred, kinds))} of the contract was written {was}, and may be "
            f"written otherwise in other groups: upstream has {_kinds(groups.schema)}, the "
            f"contract {_kinds(kinds)}; cast it in the asset before, or read pl.LazyFrame"
        )
    return _renamed(beside, kinds)


def refuse_strangers(rows: pl.LazyFrame, groups: pl.DataFrame) -> None:
    """Raise AssetError when a row belongs to none of the groups that a function was given."""
    key = groups.columns
    strange = rows.join(groups.lazy(), on=key, how="anti", nulls_equal=True).select(key)
    found = strange.head(EXAMPLES).collect(engine="streaming")
    if found.height:
        names = " and ".join(key)
        raise AssetError(
            f"there is a row with {names} {_texts(found)}, which is none of the groups that the "
            f"function was given: with Touched, {names} must stay as upstream has it; change it "
            "in the asset before, or read pl.LazyFrame"
        )


def _beside(keys: pl.DataFrame, kinds: Kinds, contract: Contract | None) -> pl.DataFrame:
    """Keys that a contract takes, as they are and as it makes them."""
    try:
        made = keys.with_columns(_made(keys, kinds, contract))
    except pl.exceptions.PolarsError:
        upstream = _kinds(keys.schema)
        raise AssetError(f"{upstream} cannot become {_kinds(kinds)} as the contract says") from None
    lost = [
        pl.col(f"{STORED}{name}").is_null() & pl.col(name).is_not_null() for name in keys.columns
    ]
    return made.filter(~pl.any_horizontal(lost))


def _made(keys: pl.DataFrame, kinds: Kinds, contract: Contract | None) -> Iterator[pl.Expr]:
    columns = contract.columns() if contract else {}
    for name, source in keys.schema.items():
        value = pl.col(name)
        if source != kinds[name] and name in columns:
            cast = casts.cast(value, source, columns[name])
            same = casts.is_unchanged(value, cast, source, columns[name])
            value = pl.when(same).then(cast)
        yield value.cast(kinds[name], strict=False).alias(f"{STORED}{name}")


def _renamed(beside: pl.DataFrame, kinds: Kinds) -> pl.DataFrame:
    return beside.select(pl.col(f"{STORED}{name}").alias(name) for name in kinds)


def _texts(keys: pl.DataFrame) -> str:
    return "; ".join(" ".join(map(repr, row)) for row in keys.head(EXAMPLES).rows())


def _kinds(schema: Kinds) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in schema.items())
