"""`polster add-deploy`: write what a deployment needs into a project that exists."""

from __future__ import annotations

import click

from polster_core.cli import params, prompts
from polster_core.cli.context import plugins_here, warn_of_broken
from polster_core.cli.execute import carry_out, say_next
from polster_core.cli.options.answer import Typed
from polster_core.cli.options.existing import Given
from polster_core.cli.working_project import current_project, writing
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import deployment_flags
from polster_core.project import manifest
from polster_core.scaffold import deployments
from polster_core.types import Deployment
from polster_core.upgrade.preconditions import check_plugins


def command() -> click.Command:
    """Build the command from what is installed."""
    plugins = plugins_here()
    added = deployment_flags(plugins)

    def callback(name: str, *, dry_run: bool, **typed: Typed) -> None:
        _do(plugins, name, Given(added, typed, "polster add-deploy"), dry_run=dry_run)

    offered = plugins.deployments()
    return params.GroupedCommand(
        "add-deploy",
        callback=callback,
        params=[
            click.Argument(["name"], metavar="DEPLOYMENT"),
            click.Option(["--dry-run"], is_flag=True, help="Show what would be written, and stop."),
            *params.options_for(added, {Deployment: "deployment"}),
        ],
        help="Write what a deployment needs, and its guide.",
        epilog="Deployments: "
        + (", ".join(f"{name} ({one.summary})" for name, one in offered.items()) or "none")
        + ".",
    )


def _do(plugins: Plugins, name: str, given: Given, *, dry_run: bool) -> None:
    """Write the deployment's files, and say what to do next."""
    project = current_project()
    plugins.choose(Deployment, name)
    known = manifest.find(project.root)
    if known is not None:
        check_plugins(known, plugins)
    answers = given.answers([name], known.answers if known else {}, asks=prompts.is_possible())
    with writing(project, later=dry_run):
        planned = deployments.plan(project, plugins, name, answers)
        warn_of_broken(plugins)
        carry_out(planned, dry_run=dry_run)
    if not dry_run:
        guide = next((one.path for one in planned if one.path.match("docs/deploy/*.md")), None)
        say_next(
            [
                *([(str(guide), "what to set up, once, and how to deploy")] if guide else []),
                ("polster setup", "install what it needs, and write uv.lock"),
                ("git add --all && git commit", ""),
            ]
        )
