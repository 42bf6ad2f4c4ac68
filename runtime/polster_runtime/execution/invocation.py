"""Calling an asset's function."""

import itertools
import json
import os
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from polster_runtime.assets.binding import (
    Function,
    asset_of,
    is_incremental,
    source_file,
    takes_partition,
    wants_all,
)
from polster_runtime.assets.contract import contract_of
from polster_runtime.assets.increments import UPSERT, plan_of
from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.config.logging import log
from polster_runtime.config.paths import project_root
from polster_runtime.config.polars_engine import computed
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, NoData
from polster_runtime.execution.events import RunListener, tell
from polster_runtime.execution.kept_rows import own_rows
from polster_runtime.execution.reading import Reading
from polster_runtime.execution.removals import check_flag
from polster_runtime.execution.shares import call
from polster_runtime.execution.slices import Slice
from polster_runtime.sources.base import Frames, doubts, replacing
from polster_runtime.storage.columns import ValueChanges, check_values, common
from polster_runtime.storage.merging import alive
from polster_runtime.storage.snapshots import Snapshot
from polster_runtime.storage.store import Store


class Invocation:
    """The rows of an asset's function, and the position that an incremental one reached."""

    def __init__(
        self,
        function: Function,
        data: Store,
        bound: dict[str, AssetId],
        previous: Snapshot | None,
        given: Mapping[AssetId, Snapshot],
        partition: str = "",
        full_refresh: bool = False,
        again: Slice | None = None,
    ) -> None:
        self.function, self.data, self.bound, self.previous = function, data, bound, previous
        self.given, self.partition = given, partition
        self.read_of = {name: asset.whole for name, asset in bound.items()}
        """The asset that each parameter reads, or reads a partition of."""
        self.incremental = is_incremental(function)
        self.inputs: dict[str, list[str]] = {}
        """The files that each upstream asset was read from."""
        self.schemas: dict[AssetId, pl.Schema] = {}
        self.position: Any = None
        self.failure: BaseException | None = None
        self.streams = False  # True: the rows come from a generator, which yields them once
        self.doubts, self.replaced = list[str](), list[bool]()  # what the source says beside rows
        if self.incremental and previous and not full_refresh:
            self.position = data.provenance(previous).get("position")
        self.reading: Reading | None = None
        """What is read of the upstream assets; None: all of it, in place of what there is."""
        if plan_of(function).incremental:
            self.given = {asset: self._snapshot(asset) for asset in bound.values()}
            self.reading = Reading(
                function, data, bound, self.given, previous, full_refresh=full_refresh, again=again
            )

    @property
    def increases(self) -> Snapshot | None:
        """The snapshot that the rows are an increment on; None when they are all rows."""
        if self.reading:
            return self.reading.increases
        grows = self.incremental and self.position is not None and not self.replaced
        return self.previous if grows else None

    def rows(self) -> pl.LazyFrame:
        """Call the function. Raises AssetError when it returns no frame, and NoData."""
        with doubts() as self.doubts, replacing() as self.replaced:
            return self._rows()

    def _rows(self) -> pl.LazyFrame:
        arguments: dict[str, Any] = {name: self._read(name) for name in self.bound}
        if self.incremental:
            arguments["position"] = self.position
        arguments |= {"partition": self.partition} if takes_partition(self.function) else {}
        if own := plan_of(self.function).own:
            arguments[own] = own_rows(self.function, self.data, self.previous)
        with _one_process():
            result = call(self.function, arguments, self.reading)
        if isinstance(result, Generator):
            return self._stream(result)
        if isinstance(result, pl.DataFrame | pl.LazyFrame):
            return self._rows_of(result.lazy())
        returned = f"{self.function.__name__}() returned {type(result).__name__}"
        raise AssetError(f"{returned}; it must return a Polars frame")

    def _rows_of(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """What a function returned, as it goes with the rows that there are."""
        if self.reading:
            rows = self.reading.without_left_out(rows)
        if self.reading and self.reading.plan.kind == UPSERT:
            check_flag(rows.collect_schema())
            return rows if self.increases else alive(rows)
        if self.increases and (self.incremental or contract_of(self.function) is None):
            self._fitting(collected := computed(rows))
            return collected.lazy()
        return rows

    def check_complete(self, staged: Path) -> None:
        """Raise what ended the rows early, and delete the file that they are in."""
        if self.failure is not None:
            staged.unlink(missing_ok=True)
            raise self.failure

    def check_inputs(self) -> None:
        """Read all that the function was given. Raises StorageError for a damaged file."""
        for path in itertools.chain.from_iterable(self.inputs.values()):
            self.data.check(path)

    def _read(self, parameter: str) -> pl.LazyFrame | pl.DataFrame:
        asset = self.bound[parameter]
        snapshot = self._snapshot(asset)
        self.inputs[str(asset)] = list(snapshot.paths)
        frame = self.reading.frame(parameter) if self.reading else self.data.scan(snapshot)
        self.schemas[asset.whole] = frame.collect_schema()
        return computed(frame) if wants_all(self.function, parameter) else frame

    def _snapshot(self, asset: AssetId) -> Snapshot:
        snapshot = self.given.get(asset) or self.data.latest(asset)
        if snapshot is None:
            raise NoData(asset)
        return snapshot

    def _stream(self, generator: Frames) -> pl.LazyFrame:
        """The frames of a generator as one lazy frame. What it returns is the new position."""
        self.streams, frames = True, self._noting_position(generator)
        first = next(frames, None)
        if first is None:
            if self.previous is None:
                log.warning("no rows yet, and nothing says which columns there will be")
                return pl.LazyFrame()
            return self.data.scan(self.previous).clear()
        target = self._fitting(first)

        def read(
            with_columns: list[str] | None,
            predicate: pl.Expr | None,
            n_rows: int | None,
            batch_size: int | None,
        ) -> Iterator[pl.DataFrame]:
            alike = self._alike(first.schema, frames, target)
            return self._until_failure(itertools.chain([first], alike))

        return register_io_source(read, schema=first.schema, validate_schema=True)

    def _until_failure(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The frames until one cannot be had; `check_complete` raises the error.

        Raised in a thread of Polars, it would leave other threads behind, which abort the process
        when Python ends before they do.
        """
        try:
            yield from frames
        except GeneratorExit:  # Polars wants no more of them
            raise
        except BaseException as error:
            self.failure = error

    def _fitting(self, first: pl.DataFrame) -> dict[str, pl.DataType]:
        """The types that readers will get for new rows on top of the old, for columns that differ.

        Raises AssetError when the old rows, or the first of the new, would not stay as they are.
        """
        if self.increases is None:
            return {}
        old = self.data.scan(self.increases)
        before = old.collect_schema()
        target = {}
        for name, kind in first.schema.items():
            found = common(before[name], kind) if name in before else kind
            if found is None:
                raise self._drifted(
                    f"{name} was {before[name]} and is {kind} now, which do not go together"
                )
            target[name] = found
        changed = [name for name in target if name in before and before[name] != target[name]]
        if changed:
            self._check_values(old.select(changed).collect_batches(), target)
        self._check_values([first], target)
        return {name: kind for name, kind in target.items() if first.schema[name] != kind}

    def _check_values(
        self, frames: Iterable[pl.DataFrame], target: Mapping[str, pl.DataType]
    ) -> None:
        try:
            check_values(frames, target)
        except ValueChanges as error:
            raise self._drifted(f"{error} beside the type that the column has now") from None

    def _drifted(self, what: str) -> AssetError:
        return AssetError(
            f"{what}; reload everything:  "
            f"python run_polster.py --asset {asset_of(self.function)} --full-refresh"
        )

    def _noting_position(self, generator: Frames) -> Iterator[pl.DataFrame]:
        reached = yield from _collected(generator)
        try:
            json.dumps(reached, allow_nan=False)
        except (TypeError, ValueError):
            raise AssetError(
                f"{self.function.__name__}() returned {type(reached).__name__} as its position; "
                "return what JSON can hold: a number, or text such as that of isoformat()"
            ) from None
        self.position = self.position if reached is None else reached

    def _alike(
        self,
        schema: pl.Schema,
        frames: Iterator[pl.DataFrame],
        target: Mapping[str, pl.DataType],
    ) -> Iterator[pl.DataFrame]:
        """The frames, as long as they have the columns of the first.

        Polars itself would lose a column that is new, and write a broken file without one that
        is gone.
        """
        asset, rows = asset_of(self.function), 0
        for number, frame in enumerate(frames, start=2):
            if frame.schema != schema:
                raise AssetError(
                    f"{self.function.__name__}() must yield frames of the same columns, but "
                    f"frame {number} differs from the first: {_difference(schema, frame.schema)}"
                )
            self._check_values([frame], target)
            rows += frame.height
            tell(partial(_tell_rows, asset, rows))
            yield frame


def _tell_rows(asset: AssetId, rows: int, listener: RunListener) -> None:
    listener.rows_so_far(asset, rows)


def _collected(generator: Frames) -> Generator[pl.DataFrame, None, Any]:
    while True:
        stop_if_interrupted()
        try:
            with _one_process():
                frame = next(generator)
        except StopIteration as end:
            return end.value
        yield computed(frame.lazy())


def _difference(before: pl.Schema, after: pl.Schema) -> str:
    changes = [
        f"{name} {before.get(name, 'nothing')} -> {after.get(name, 'nothing')}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    return ", ".join(changes) or "their order"


@contextmanager
def _one_process() -> Iterator[None]:
    """End a copy of this process that an asset has forked off, where it would go on as the run."""
    process = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != process:
            os._exit(0)


@contextmanager
def stubs_named(function: Function) -> Iterator[None]:
    """Turn the NotImplementedError of a stub into a sentence that says where to write it."""
    try:
        yield
    except NotImplementedError as error:
        file = source_file(function)
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if Path(frame.filename).resolve() == file:
                where = f"{file.relative_to(project_root()).as_posix()}:{frame.lineno}"
                raise NotImplementedError(f"not implemented: edit {where}") from None
        raise
