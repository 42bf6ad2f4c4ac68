"""What is stored of an asset, described: its newest snapshot with its columns, or all snapshots."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from polster_runtime.assets.keys import key_of
from polster_runtime.assets.values import rows_as_python
from polster_runtime.config.root import project_root
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import NoData
from polster_runtime.storage.snapshots import Snapshot, base_name
from polster_runtime.storage.store import Store

FEW = 1_000_000
"""Rows up to which distinct values are counted one by one; above, their number is estimated."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a snapshot; None stands for what its type cannot be asked for."""

    name: str
    type: str
    nulls: int
    distinct: int | None
    min: Any
    max: Any


@dataclass(frozen=True, kw_only=True)
class Described:
    """A snapshot: where it is, how large, when it was written (ISO 8601) and by which run."""

    asset: str
    """Its key in Dagster."""
    path: str
    written: str | None
    rows: int
    size_bytes: int
    run: str | None


def newest(store: Store, asset: AssetId) -> Snapshot:
    """The newest snapshot of an asset. Raises NoData, and StorageError."""
    snapshot = store.latest(asset)
    if snapshot is None:
        raise NoData(asset)
    return snapshot


def described(store: Store, asset: AssetId, snapshot: Snapshot) -> Described:
    """Describe a snapshot. Raises StorageError when it cannot be read."""
    known = store.provenance(snapshot)
    return Described(
        asset=known.get("asset_key") or key_of(asset),
        path=_shown(snapshot.path),
        written=_written(snapshot.path),
        rows=_count(store.scan(snapshot)),
        size_bytes=sum(store.fs.size(path) for path in snapshot.paths),
        run=known.get("run"),
    )


def rejected_rows(store: Store, asset: AssetId, snapshot: Snapshot) -> int:
    """How many rows were rejected when the files of a snapshot were written, and not since.

    Those of increments have names of their own, which the newest footer says.
    """
    files = {base_name(path): path for path in store.rejected(asset)}
    names = {*map(base_name, snapshot.paths)}
    if files:
        names |= {*store.provenance(snapshot).get("quarantined", [])}
    wanted = [files[name] for name in sorted(names & files.keys())]
    return sum(_count(store.scan(Snapshot((path,)))) for path in wanted)


def columns(frame: pl.LazyFrame, rows: int) -> list[Column]:
    """Describe each column of a frame of so many rows: nulls, distinct values, the extremes."""
    schema = frame.collect_schema()
    asked = [
        expression.alias(f"{number} {what}")
        for number, (name, kind) in enumerate(schema.items())
        for what, expression in _questions(pl.col(name), kind, rows).items()
    ]
    answers = rows_as_python(frame.select(asked).collect(engine="streaming"))[0] if asked else {}
    return [
        Column(
            name=name,
            type=str(kind),
            nulls=answers[f"{number} nulls"],
            distinct=answers.get(f"{number} distinct"),
            min=answers.get(f"{number} min"),
            max=answers.get(f"{number} max"),
        )
        for number, (name, kind) in enumerate(schema.items())
    ]


def _questions(column: pl.Expr, kind: pl.DataType, rows: int) -> dict[str, pl.Expr]:
    """What can be asked of a column of a type; of nested ones only the nulls."""
    found = {"nulls": column.null_count()}
    if kind.is_nested() or kind in {pl.Object, pl.Null, pl.Unknown, pl.Binary}:
        return found
    plain = column.cast(pl.String) if kind in {pl.Categorical, pl.Enum} else column
    exact = rows <= FEW or kind == pl.Boolean
    values = plain.drop_nulls()
    found["distinct"] = values.n_unique() if exact else values.cast(pl.String).approx_n_unique()
    return {**found, "min": plain.min(), "max": plain.max()}


def _count(frame: pl.LazyFrame) -> int:
    """The number of rows; Parquet knows it without reading them."""
    return int(frame.select(pl.len()).collect().item())


def _written(path: str) -> str | None:
    """When a snapshot was written, from its name; None for a file that somebody put there."""
    stamp = base_name(path).partition("-")[0].partition(".")[0]
    try:
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(path: str) -> str:
    """A path as a person looks for it: inside the project, from its root."""
    return path.removeprefix(f"{project_root().as_posix()}/")
