"""`polster storage`."""

from __future__ import annotations

import click

from polster_core.cli import params, prompts
from polster_core.cli.context import plugins_here, warn_of_broken
from polster_core.cli.execute import carry_out, say_next
from polster_core.cli.options.answer import Typed
from polster_core.cli.options.existing import Given
from polster_core.cli.working_project import current_project, writing
from polster_core.environment import project_python
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import flags
from polster_core.project import manifest
from polster_core.scaffold import storage
from polster_core.types import StorageBackend


class _Storage(click.Group):
    """Only `add` looks for plugins: its options are theirs."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Build `add` from what is installed."""
        return _add() if cmd_name == _ADD else super().get_command(ctx, cmd_name)


_ADD = "add"
_HELP = "Give this project the backend NAME; its data stays where it is."


@click.group(
    "storage", cls=_Storage, help="Add a backend, move data to another, delete old snapshots."
)
def command() -> None:
    """Do nothing by itself."""


command.add_command(click.Command(_ADD, help=_HELP))
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def _add() -> click.Command:
    """Build the command that adds a backend, with the options of all that are installed."""
    plugins = plugins_here()
    added = [flag for flag in flags(plugins) if flag.kind is StorageBackend]

    def callback(name: str, *, dry_run: bool, **typed: Typed) -> None:
        _do_add(plugins, name, Given(added, typed, "polster storage add"), dry_run=dry_run)

    return params.GroupedCommand(
        _ADD,
        callback=callback,
        params=[
            click.Argument(
                ["name"], shell_complete=params.PluginChoice(plugins, StorageBackend).shell_complete
            ),
            click.Option(["--dry-run"], is_flag=True, help="Show what would be written, and stop."),
            *params.options_for(added, {StorageBackend: "backend"}),
        ],
        help=_HELP,
    )


def _do_add(plugins: Plugins, name: str, given: Given, *, dry_run: bool) -> None:
    """Write the backend's files, and say what to do next."""
    project = current_project()
    plugins.choose(StorageBackend, name)
    known = manifest.find(project.root)
    answers = given.answers([name], known.answers if known else {}, asks=prompts.is_possible())
    with writing(project, later=dry_run):
        planned = storage.plan(project, plugins, name, answers)
        warn_of_broken(plugins)
        carry_out(planned, dry_run=dry_run)
    if not dry_run:
        say_next(
            [
                ("polster setup", "install what it needs"),
                ("edit .env", f"STORAGE_BACKEND={name} and its settings"),
                ("polster doctor", "try it"),
                (f"polster storage copy --from local --to {name}", ""),
            ]
        )


@command.command("copy", help="Copy all snapshots from one backend to another, and verify them.")
@click.option("--from", "source", required=True, metavar="NAME", help="Where they are.")
@click.option("--to", "target", required=True, metavar="NAME", help="Where they shall be as well.")
@click.option("--dry-run", is_flag=True, help="Count what would be copied.")
@_as_json
def copy(*, source: str, target: str, dry_run: bool, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("copy", "--from", source, "--to", target, dry_run=dry_run, as_json=as_json)


@command.command("prune", help="Delete the snapshots that SNAPSHOT_RETENTION does not keep.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted.")
@_as_json
def prune(*, dry_run: bool, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("prune", dry_run=dry_run, as_json=as_json)


def _hand_on(*args: str, dry_run: bool, as_json: bool) -> None:
    flags = [*(["--dry-run"] if dry_run else []), *(["--json"] if as_json else [])]
    arguments = ["storage", *args, *flags]
    code = project_python.run_module(current_project().root, project_python.RUNTIME, arguments)
    click.get_current_context().exit(code)
