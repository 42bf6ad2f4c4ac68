"""The kinds of assets that need no plugin: a function to write, and files that are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from polster_core.hookspecs import hookimpl
from polster_core.rendering import file_options
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile, Option, RuntimePart

_PATH = Option(
    name="path",
    help="The file, or a pattern such as incoming/orders-*.csv, from the project's folder.",
    question="Which file, or which pattern?",
    required=True,
)
_FROM = Option(
    name="from",
    help="The other project's folder, from this one's, and its asset: ../crm:gold_customers.",
    question="Which gold asset of which project, such as ../crm:gold_customers?",
    required=True,
)
_RECORDS = Option(
    name="records", help="Where the list of records is in a document, such as data.items."
)
_SHEET = Option(
    name="sheet", help="The sheet by name, number or pattern; the first if it is not given."
)
_KEY = Option(
    name="key",
    help="The columns that tell rows apart, as text or of another type: order_id:Int64.",
    question="Which columns tell rows apart?",
    required=True,
)
_ORDER = Option(
    name="order-by",
    help="The column of a log that says when a row was changed: updated_at:Datetime.",
    question="Which column says when a row was changed?",
)
_COLUMNS = Option(
    name="columns",
    help="The other columns to keep, as text or of another type: status,amount:Float64.",
    question="Which other columns are kept?",
)
_DELETED = Option(
    name="deleted",
    help="The column that says that the source deleted the row; with :Datetime null until then.",
)
_READERS = RuntimePart(package="polster_runtime.sources.files")


@hookimpl
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer an empty function in every layer, files in bronze, and increments above it."""
    yield AssetTemplate(
        name="function",
        summary="a function for you to write",
        layers=("bronze", "silver", "gold"),
    )
    yield AssetTemplate(
        name="csv",
        summary="CSV files",
        layers=("bronze",),
        options=(_PATH, *file_options.CSV),
        runtime=(_READERS,),
        files=_csv,
        look=_look_at_csv,
    )
    yield AssetTemplate(
        name="excel",
        summary="Excel workbooks",
        layers=("bronze",),
        options=(_PATH, _SHEET, file_options.HEADER_ROW),
        requirements=("fastexcel>=0.14,<1", "python-calamine>=0.4,<1"),
        runtime=(_READERS,),
        files=_excel,
        look=_look_at_excel,
    )
    yield AssetTemplate(
        name="json",
        summary="JSON or NDJSON files",
        layers=("bronze",),
        options=(_PATH, _RECORDS),
        runtime=(_READERS,),
        files=_json,
        look=_look_at_json,
    )
    yield AssetTemplate(
        name="parquet",
        summary="Parquet files",
        layers=("bronze",),
        options=(_PATH,),
        runtime=(_READERS,),
        files=_parquet,
        look=_look_at_parquet,
    )
    yield AssetTemplate(
        name="project",
        summary="the gold of another project",
        layers=("bronze",),
        options=(_FROM,),
        runtime=(RuntimePart(package="polster_runtime.sources.project", source="project"),),
        files=_project,
        check=_check_project,
        env_of=_variables_of_project,
    )
    yield AssetTemplate(
        name="latest",
        summary="the current row of each key, from a log of changes",
        layers=("silver",),
        options=(_KEY, replace(_ORDER, required=True), _COLUMNS, _DELETED),
        files=_latest,
    )
    yield AssetTemplate(
        name="history",
        summary="every state of each key, from a log of changes or from nightly snapshots",
        layers=("silver",),
        options=(_KEY, _ORDER, _COLUMNS, _DELETED),
        files=_history,
    )
    yield AssetTemplate(
        name="append",
        summary="the new rows of a source that only adds rows",
        layers=("silver",),
        options=(replace(_COLUMNS, required=True),),
        files=_append,
    )
    yield AssetTemplate(
        name="per-entity",
        summary="a row for each customer, product, …; only those with changes are computed",
        layers=("gold",),
        options=(_KEY,),
        files=_per_entity,
    )


def _latest(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import incremental

    return incremental.latest(context)


def _history(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import incremental

    return incremental.history(context)


def _append(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import incremental

    return incremental.append(context)


def _per_entity(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import incremental

    return incremental.per_entity(context)


def _project(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.builtin import other_project

    return other_project.files(context)


def _check_project(context: AssetContext) -> None:
    from polster_core.builtin import other_project

    other_project.check(context)


def _variables_of_project(context: AssetContext) -> Iterable[EnvVar]:
    from polster_core.builtin import other_project

    return other_project.variables(context)


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


def _look_at_csv(root: Path, context: AssetContext) -> Iterable[str]:
    return _look(root, context, "csv")


def _look_at_excel(root: Path, context: AssetContext) -> Iterable[str]:
    return _look(root, context, "excel")


def _look_at_json(root: Path, context: AssetContext) -> Iterable[str]:
    return _look(root, context, "json")


def _look_at_parquet(root: Path, context: AssetContext) -> Iterable[str]:
    return _look(root, context, "parquet")


def _look(root: Path, context: AssetContext, kind: str) -> Iterable[str]:
    from polster_core.builtin import first_look, local_files

    return first_look.lines(root, local_files.path(context), kind, local_files.arguments(context))
