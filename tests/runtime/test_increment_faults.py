"""Increments that say nothing certain: one sentence each, and nothing is published."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polster_runtime.assets.increments import plan_of
from polster_runtime.config import paths
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, ContractBroken, PipelineError
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage.registry import store

from .conftest import CoreFile
from .test_increments import EVENTS, STATES, STOCK, read, stock

CHANGES = [AssetId.parse("bronze_events")]
SOME = """
    from typing import Annotated

    from polster_runtime import New, Touched, Upsert


    class Contract(dy.Schema):
        id = dy.Int64(primary_key=True)
        name = dy.String(nullable=False)


    CHANGE = [lambda rows: rows]


    def transform(events: New) -> Upsert:
        return CHANGE[0](events)
"""
TOUCHED = SOME.replace("events: New", 'events: Annotated[pl.LazyFrame, Touched("id")]')


def night(core_file: CoreFile, text: str = SOME) -> tuple[ModuleType, ModuleType]:
    """Return two assets after a first night, with another night in bronze."""
    events, some = core_file("bronze_events", EVENTS), core_file("silver_some", text)
    for number in range(2):
        ids = range(10, 18) if number else range(100, 150)
        events.CHANGES.append(pl.DataFrame({"id": ids, "name": [*map(str, ids)]}))
        materialize(events.extract, [])
        if number == 0:
            materialize(some.transform, CHANGES)
    return events, some


NULL_KEY = pl.when(pl.col("id") != 12).then("id").alias("id")


@pytest.mark.parametrize("text", [SOME, TOUCHED], ids=["New", "Touched"])
@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda rows: rows.with_columns(NULL_KEY), ContractBroken, "id is not null  "),
        (
            lambda rows: pl.concat([rows, rows.filter(id=12)]),
            ContractBroken,
            "2 of 9 rows .*\n *id is unique",
        ),
        (
            lambda rows: rows.with_columns(_deleted=pl.lit("no")),
            AssetError,
            "_deleted is String; it must be Boolean",
        ),
        (lambda rows: rows.with_columns(_deleted=0), AssetError, "_deleted is Int32; it must be"),
        (
            lambda rows: rows.with_columns(pl.format("A{}", "id").alias("id")),
            (ContractBroken, AssetError),
            "id",
        ),
        (
            lambda rows: rows.rename({"id": "key"}),
            AssetError,
            "names columns that are not there: id",
        ),
    ],
    ids=["null", "twice", "text", "number", "another type", "no key"],
)
def test_what_is_wrong_is_a_sentence_and_nothing_is_published(
    core_file: CoreFile, text: str, change: Any, error: Any, says: str
) -> None:
    _, some = night(core_file, text)
    before = store().snapshots(AssetId.parse("silver_some"))
    some.CHANGE[0] = change
    with pytest.raises(error, match=says):
        materialize(some.transform, CHANGES)
    assert store().snapshots(AssetId.parse("silver_some")) == before
    assert not [*paths.staging_dir().glob("*-*")]
    some.CHANGE[0] = lambda rows: rows
    assert materialize(some.transform, CHANGES).read == "read what is new"
    assert read("silver_some").height == 58


def test_a_key_that_is_of_another_type_in_the_source_is_refused_there(core_file: CoreFile) -> None:
    events, some = night(core_file)
    materialize(some.transform, CHANGES)
    events.CHANGES.append(pl.DataFrame({"id": [b"1"], "name": ["z"]}))
    with pytest.raises(
        AssetError, match="id was Int64 and is Binary now, which do not go together"
    ):
        materialize(events.extract, [])
    assert read("bronze_events").height == 58


def test_a_contract_with_another_type_for_the_key_reads_everything(core_file: CoreFile) -> None:
    _, some = night(core_file)
    vars(some)["Contract"] = type(
        "Contract", some.Contract.__bases__, {"id": _column("Int32"), "name": some.Contract.name}
    )
    done = materialize(some.transform, CHANGES)
    assert done.read == "read everything: its code has changed"
    assert read("silver_some").schema["id"] == pl.Int32


def _column(kind: str) -> Any:
    import dataframely as dy

    return getattr(dy, kind)(primary_key=True)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("item = dy.Int64", "item = dy.Int32", "item was Int64 and is Int32 in its contract now"),
        ("count = dy.Int64(nullable=False, max=100)", "count = dy.Duration()", "count was Int64"),
        ("item = dy.Int64(primary_key=True)", "item = dy.Int64()", "its annotations or its key"),
    ],
)
def test_rows_that_cannot_be_computed_again_keep_their_types(
    core_file: CoreFile, was: str, becomes: str, says: str
) -> None:
    shelf, states = core_file("bronze_stock", STOCK), core_file("silver_states", STATES)
    upstream = [AssetId.parse("bronze_stock")]
    shelf.NOW.append(stock(1, a=1, b=2))
    materialize(shelf.extract, [])
    materialize(states.transform, upstream)
    before = read("silver_states")
    assert was in STATES
    changed = core_file("silver_states_2", STATES.replace(was, becomes))
    vars(states)["Contract"] = changed.Contract
    plan_of.cache_clear()
    with pytest.raises(PipelineError, match=f"{says}.* cannot be computed again"):
        materialize(states.transform, upstream)
    assert_frame_equal(read("silver_states"), before)


@pytest.mark.parametrize("signature", ["extract() -> Upsert", "extract(rows: New) -> Append"])
def test_a_bronze_asset_takes_none_of_the_words(core_file: CoreFile, signature: str) -> None:
    words = "from polster_runtime import Append, New, Upsert\n\n"
    module = core_file("bronze_x", f"{words}def {signature}:\n    return pl.LazyFrame()\n")
    with pytest.raises(AssetError, match=r"bronze_x\.py:6: New, .* are for silver and gold: a"):
        materialize(module.extract, [])
