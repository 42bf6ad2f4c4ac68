"""`polster run`."""

from __future__ import annotations

import click

from polster_core.cli import completion, console
from polster_core.cli.working_project import current_project
from polster_core.environment import project_python, venv


@click.command(
    "run",
    cls=completion.RunCommand,
    help="Run this project's assets in its own environment.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("args", nargs=-1, type=click.UNPROCESSED, shell_complete=completion.selection)
@click.pass_context
def command(ctx: click.Context, *, args: tuple[str, ...]) -> None:
    """Hand everything on, and the exit code back."""
    root = current_project().root
    if lacking := venv.lacking(root):
        what = f"{venv.shown(root)} lacks {', '.join(lacking)}, which pyproject.toml asks for"
        console.warn(f"{what}; install it:  {venv.retry(root)}")
    ctx.exit(project_python.run(root, args))
