"""All rows of an asset from two machines at once: the older never take the place of the newer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Self
from unittest import mock

import polars as pl
import pytest

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage import snapshots
from polster_runtime.storage.registry import read, store, write_parquet
from polster_runtime.storage.store import Store
from tests.runtime.conftest import CoreFile

CODE = """
MEANWHILE = []

def transform() -> pl.LazyFrame:
    while MEANWHILE:
        MEANWHILE.pop()()
    return pl.LazyFrame({"row": [1]})
"""
REFUSED = "was published by another run meanwhile; run silver_rows again"


class Behind(datetime):
    """The clock of a machine that is ten minutes behind."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return what it shows."""
        return super().now(tz) - timedelta(minutes=10)


@pytest.fixture
def silver(core_file: CoreFile) -> ModuleType:
    """Return an asset during whose run something may happen."""
    return core_file("silver_rows", CODE)


def another(seconds: int = 0) -> Callable[[], None]:
    """Return another machine's run, which reads the row 2; its clock may be behind."""

    def publish() -> None:
        with mock.patch.object(snapshots, "datetime", Behind if seconds else datetime):
            write_parquet(pl.DataFrame({"row": [2]}), "silver_rows")

    return publish


@pytest.mark.parametrize("seconds", [0, 600])
@pytest.mark.parametrize("times", [1, 2])
def test_a_run_that_was_overtaken_runs_again(silver: ModuleType, seconds: int, times: int) -> None:
    """Whatever the clocks say; what it would have published is seen by nobody."""
    if times == 2:
        materialize(silver.transform, [])
    silver.MEANWHILE.append(another(seconds))
    with pytest.raises(StorageError, match=REFUSED) as raised:
        materialize(silver.transform, [])
    assert raised.value.retryable
    assert read("silver_rows").collect()["row"].to_list() == [2]
    materialize(silver.transform, [])
    assert read("silver_rows").collect()["row"].to_list() == [1]
    assert len(store().snapshots(AssetId("silver", "rows"))) == times + 1


def test_a_run_that_is_overtaken_while_it_publishes(
    silver: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be taken back: the run fails, and its next try counts."""
    put, others = Store.put, [another(600)]

    def put_after(self: Store, file: Path, path: str) -> None:
        while others:
            others.pop()()
        put(self, file, path)

    monkeypatch.setattr(Store, "put", put_after)
    with pytest.raises(StorageError, match=REFUSED):
        materialize(silver.transform, [])
    materialize(silver.transform, [])
    assert read("silver_rows").collect()["row"].to_list() == [1]
