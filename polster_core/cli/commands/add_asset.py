"""`polster add-asset`: the command line; what it does is imported once it is known."""

from __future__ import annotations

from typing import Any

import click

from polster_core.cli import completion, params
from polster_core.cli.context import plugins_here
from polster_core.cli.options import templates
from polster_core.model.layers import Layer
from polster_core.types import AssetTemplate


def command() -> click.Command:
    """Build the command from what is installed."""
    plugins = plugins_here()
    template = params.PluginChoice(plugins, AssetTemplate)
    flags = templates.shared_flags(plugins)

    def callback(**typed: Any) -> None:
        from polster_core.cli.addition import AddAssetArguments, Addition  # not to complete a word

        options = {flag.parameter: typed.pop(flag.parameter) for flag in flags}
        Addition(plugins, flags, AddAssetArguments(**typed, options=options)).do()

    return params.GroupedCommand(
        "add-asset",
        callback=callback,
        params=[
            click.Option(["--layer"], type=click.Choice([*map(str, Layer)]), help="Which layer."),
            click.Option(["--name"], help="Its name, without the layer."),
            click.Option(
                ["--dependencies"],
                multiple=True,
                metavar="A,B",
                shell_complete=completion.assets,
                help="The assets it is made from.  [default: the one of the same name]",
            ),
            click.Option(["--description"], help="What it is, in a line."),
            click.Option(["--template"], type=template, help="What to write.  [default: function]"),
            click.Option(
                ["--partition"],
                metavar="KIND",
                help="Give it partitions: hourly, daily, weekly, monthly, or names: eu,us.",
            ),
            click.Option(["--start"], metavar="DATE", help="When its partitions begin."),
            click.Option(["--dry-run"], is_flag=True, help="Show what would be written, and stop."),
            *templates.click_options(flags),
        ],
        help="Add an asset to this project.",
    )
