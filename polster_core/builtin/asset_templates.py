"""The kinds of assets that need no plugin: a function to write, and files that are read."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import AssetContext, AssetTemplate, NewFile, Option

_PATH = Option(
    name="path",
    help="The file, or a pattern such as data/incoming/orders-*.csv, from the project's folder.",
    question="Which file, or which pattern?",
    required=True,
)
_SHEET = Option(name="sheet", help="The sheet of the workbook; the first one if it is not given.")


@hookimpl
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer an empty function in every layer, and files in bronze."""
    yield AssetTemplate(
        name="function",
        summary="a function for you to write",
        layers=("bronze", "silver", "gold"),
    )
    yield AssetTemplate(
        name="csv", summary="CSV files", layers=("bronze",), options=(_PATH,), files=_csv
    )
    yield AssetTemplate(
        name="excel",
        summary="Excel workbooks",
        layers=("bronze",),
        options=(_PATH, _SHEET),
        requirements=("fastexcel>=0.12,<1",),
        files=_excel,
    )
    yield AssetTemplate(
        name="json",
        summary="JSON or NDJSON files",
        layers=("bronze",),
        options=(_PATH,),
        files=_json,
    )
    yield AssetTemplate(
        name="parquet",
        summary="Parquet files",
        layers=("bronze",),
        options=(_PATH,),
        files=_parquet,
    )


def _csv(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import local_files

    return local_files.csv(context)


def _excel(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import local_files

    return local_files.excel(context)


def _json(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import local_files

    return local_files.json(context)


def _parquet(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import local_files

    return local_files.parquet(context)
