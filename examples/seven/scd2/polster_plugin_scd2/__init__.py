"""A kind of silver assets: each state of a key, from when until when."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import AssetContext, AssetTemplate, NewFile, Option


@hookimpl
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer `polster add-asset --layer silver --template scd2`."""
    yield AssetTemplate(
        name="scd2",
        summary="slowly changing, type 2",
        layers=("silver",),
        options=(
            Option(name="key", help="The column that says which.", required=True),
            Option(name="changed", help="The column that says since when.", required=True),
        ),
        files=_files,
    )


def _files(context: AssetContext) -> Iterable[NewFile]:
    from polster_core.errors import UsageProblem
    from polster_core.rendering import asset_variables, render

    if len(context.dependencies) != 1:
        raise UsageProblem("--template scd2 takes one dependency", hint="add  --dependencies NAME")
    for path, template in (
        (context.asset.core_file, "core.py.jinja"),
        (context.asset.test_file, "test.py.jinja"),
    ):
        text = render("polster_plugin_scd2", f"templates/{template}", asset_variables(context))
        yield NewFile(path=path, text=text)
