"""Rows that an increment removes: what a contract says does not concern them, only their key."""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from polster_runtime.assets.contract import Contract
from polster_runtime.assets.increments import DELETED
from polster_runtime.errors import AssetError
from polster_runtime.execution.group_keys import as_stored, groups_as_stored, refuse_strangers
from polster_runtime.storage.snapshots import Provenance
from polster_runtime.storage.staging import scan, stage

EXAMPLES = 3


def without_removals(
    staged: Path, key: Sequence[str], provenance: Callable[[], Provenance], *, draft: bool
) -> tuple[Path, pl.DataFrame | None]:
    """A staged file without removed rows, a draft if so said, and their keys; None: there are none.

    Raises AssetError for a `_deleted` that is no Boolean, and for a key that is null or missing.
    """
    rows = scan(staged)
    if DELETED not in rows.collect_schema():
        return staged, None
    removes = pl.col(DELETED).fill_null(value=False)
    try:
        removed = rows.filter(removes).select(key).unique().collect(engine="streaming")
        if any(removed[name].null_count() for name in key):
            missing = " and no ".join(key)
            raise AssetError(f"a row with {DELETED} has no {missing}: nothing to remove")
        return stage(rows.filter(~removes).drop(DELETED), provenance, draft=draft), removed
    finally:
        staged.unlink()


def check_flag(schema: pl.Schema) -> None:
    """Raise AssetError when `_deleted` is no Boolean."""
    if DELETED in schema and schema[DELETED] != pl.Boolean:
        raise AssetError(
            f"{DELETED} is {schema[DELETED]}; it must be Boolean: true removes the row"
        )


def with_removals(
    staged: Path,
    removed: pl.DataFrame | None,
    groups: pl.DataFrame | None,
    key: Sequence[str],
    contract: Contract | None,
    provenance: Callable[[], Provenance],
) -> tuple[Path, int]:
    """A staged file with the keys that are gone, and how many these are.

    Gone are those that were removed, and touched groups that have no rows any more.

    Raises AssetError when a key is both removed and there, and when it is not certain which group
    a row belongs to.
    """
    rows = scan(staged)
    kinds, made = rows.select(key).collect_schema(), staged
    try:
        gone = pl.DataFrame(schema=kinds)
        if removed is not None:
            gone = as_stored(removed, kinds, contract).unique()
        _refuse_both(rows, gone, key)
        if groups is not None:
            groups = groups_as_stored(groups, kinds, contract)
            refuse_strangers(rows, groups)
            empty = groups.lazy().join(rows, on=key, how="anti", nulls_equal=True)
            gone = empty.select(key).collect(engine="streaming")
        if gone.height:
            marked = gone.lazy().with_columns(pl.lit(value=True).alias(DELETED))
            made = stage(pl.concat([rows, marked], how="diagonal"), provenance)
            staged.unlink()
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    return made, gone.height


def _refuse_both(rows: pl.LazyFrame, gone: pl.DataFrame, key: Sequence[str]) -> None:
    there = rows.join(gone.lazy(), on=key, how="semi").select(key).head(EXAMPLES).collect()
    if there.height:
        values = "; ".join(" ".join(map(str, row)) for row in there.rows())
        raise AssetError(
            f"{' '.join(key)} {values}: there is a row and one with {DELETED}; return one a key"
        )
