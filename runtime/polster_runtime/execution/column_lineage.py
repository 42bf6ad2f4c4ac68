"""Which columns each column depends on, as Polars itself tells it.

A function is called on frames without rows that note which of their columns are asked for, once
for each column of its result. So a column depends on all that may change it, keys and filters
as well. A function that looks at rows while it is called cannot be asked: it is opaque, and each
of its columns depends on all that it was given.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl
from polars.io.plugins import register_io_source

from polster_runtime.assets.binding import (
    Function,
    bind,
    code_version,
    declared_upstream,
    find_function,
    source_file,
    takes_partition,
    wants_all,
)
from polster_runtime.assets.contract import contract_of
from polster_runtime.assets.increments import plan_of
from polster_runtime.config.logging import log
from polster_runtime.config.paths import core_dir
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import FUNCTIONS
from polster_runtime.storage.store import Store

Schemas = Mapping[AssetId, Mapping[str, pl.DataType]]
"""The columns of each asset that a function reads."""

MOST_COLUMNS = 500
"""Of a wider result each column is taken to depend on everything."""


_of_partitions: dict[str, "Lineage"] = {}
"""That of the partitions of this process, by what it was computed from: mostly they are alike."""


class Column(NamedTuple):
    """A column of an asset."""

    asset: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """What the columns of an asset depend on."""

    columns: Mapping[str, list[Column]]
    opaque: bool = False
    """Whether the function could not be asked, so that each depends on everything."""
    of: str = ""
    """What it was computed from: another function or other columns have another one."""

    def as_json(self) -> dict[str, Any]:
        """It as the footer of a file keeps it."""
        return {"of": self.of, "opaque": self.opaque, "columns": self.columns}


def lineage(
    function: Function,
    bound: Mapping[str, AssetId],
    schemas: Schemas,
    known: Any = None,
    partition: str = "",
) -> Lineage:
    """The lineage of a function; `known` is what an earlier file says, and may still hold."""
    of = _fingerprint(function, schemas)
    if partition and of in _of_partitions:
        return _of_partitions[of]
    found = _lineage(function, bound, schemas, known, partition, of)
    if partition:
        _of_partitions[of] = found
    return found


def _lineage(
    function: Function,
    bound: Mapping[str, AssetId],
    schemas: Schemas,
    known: Any,
    partition: str,
    of: str,
) -> Lineage:
    if isinstance(known, dict) and known.get("of") == of:
        columns = {name: [Column(*one) for one in made] for name, made in known["columns"].items()}
        return Lineage(columns=columns, opaque=known["opaque"], of=of)
    found = _asked(function, bound, schemas, partition)
    contract = contract_of(function)
    promised = contract.column_names() if contract else list(found or {})
    if found is None or not set(promised) <= found.keys():
        everything = [Column(str(up), name) for up, columns in schemas.items() for name in columns]
        return Lineage(columns=dict.fromkeys(promised, everything), opaque=True, of=of)
    return Lineage(columns={name: found[name] for name in promised}, of=of)


def lineage_if_known(
    function: Function,
    bound: Mapping[str, AssetId],
    schemas: Schemas,
    known: Any = None,
    partition: str = "",
) -> Lineage | None:
    """The lineage of a function. A run does not fail because it cannot be told: None, then."""
    try:
        return lineage(function, bound, schemas, known, partition)
    except (Exception, pl.exceptions.PanicException) as error:
        log.warning("no column lineage", extra={"details": {"error": error}})
        return None


def _fingerprint(function: Function, schemas: Schemas) -> str:
    columns = [(asset, list(map(str, schema.items()))) for asset, schema in schemas.items()]
    text = f"{code_version(source_file(function))} {columns} {pl.__version__}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _asked(
    function: Function, bound: Mapping[str, AssetId], schemas: Schemas, partition: str
) -> dict[str, list[Column]] | None:
    """The columns that Polars asks for when it wants each column of the result alone."""
    if any(wants_all(function, name) for name in bound):
        return None
    noted = _Noted()
    frames = {name: noted.frame(asset, schemas[asset]) for name, asset in bound.items()}
    own, contract = plan_of(function).own, contract_of(function)
    given = {"partition": partition} if takes_partition(function) else {}
    if own and contract:
        frames[own] = contract.create_empty().lazy()
    try:
        result = function(**frames, **given)
        if noted.columns or not isinstance(result, pl.LazyFrame):
            return None  # it has looked already, so its result is not all that it makes of them
        names = result.collect_schema().names()
        return None if len(names) > MOST_COLUMNS else {n: noted.of(result.select(n)) for n in names}
    except (Exception, pl.exceptions.PanicException):
        # Frames without rows are not what it was written for; the real run says what is wrong.
        return None


@dataclass
class _Noted:
    """Frames without rows, and which of their columns were asked for."""

    columns: set[Column] = field(default_factory=set)

    def frame(self, asset: AssetId, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
        def read(
            with_columns: list[str] | None,
            predicate: pl.Expr | None,
            n_rows: int | None,
            batch_size: int | None,
        ) -> Iterator[pl.DataFrame]:
            names = list(schema) if with_columns is None else with_columns
            used = predicate.meta.root_names() if predicate is not None else []
            self.columns |= {Column(str(asset), name) for name in [*names, *used]}
            yield pl.DataFrame(schema=dict(schema)).select(names)

        return register_io_source(read, schema=pl.Schema(schema))

    def of(self, frame: pl.LazyFrame) -> list[Column]:
        self.columns.clear()
        frame.collect()
        return sorted(self.columns)


def of_project(data: Store) -> Iterator[tuple[AssetId, Lineage]]:
    """The lineage of each silver and gold asset that has, or could have, columns."""
    for file in sorted(core_dir().glob("*_*.py")):
        asset = AssetId.parse(file.stem)
        if asset.layer in FUNCTIONS and asset.layer != "bronze":
            function = find_function(asset)
            if function is None:
                continue
            upstream = declared_upstream(asset)
            schemas = {up: found for up in upstream if (found := _schema(up, data))}
            if len(schemas) == len(upstream):
                snapshot = data.latest(asset)
                known = data.provenance(snapshot).get("lineage") if snapshot else None
                yield asset, lineage(function, bind(function, upstream), schemas, known)


def _schema(asset: AssetId, data: Store) -> Mapping[str, pl.DataType] | None:
    """The columns of an asset: of its data, else as its contract promises them."""
    if snapshot := data.latest(asset):
        return data.scan(snapshot).collect_schema()
    function = find_function(asset)
    contract = contract_of(function) if function else None
    return contract.create_empty().schema if contract else None
