"""Tables of SQLite, of which only new rows are read."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile, Option, RuntimePart


@hookimpl
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer `polster add-asset --template sqlite`."""
    yield AssetTemplate(
        name="sqlite",
        summary="new rows of a SQLite table",
        layers=("bronze",),
        options=(Option(name="table", help="The table.", required=True),),
        env=(EnvVar(name="SQLITE_FILE", help="The file of the database.", required=True),),
        runtime=(
            RuntimePart(
                package="polster_sqlite",
                requirement="polster-plugin-sqlite[runtime]>=0.1",
                source="sqlite",
            ),
        ),
        files=_files,
    )


def _files(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.rendering import asset_variables, render

    for path, template in (
        (context.asset.core_file, "core.py.jinja"),
        (context.asset.test_file, "test.py.jinja"),
    ):
        text = render("polster_plugin_sqlite", f"templates/{template}", asset_variables(context))
        yield NewFile(path=path, text=text)
