"""`polster setup`."""

from __future__ import annotations

from pathlib import Path

import click

from polster_core.cli.console import Live
from polster_core.cli.execute import say
from polster_core.cli.working_project import current_project
from polster_core.environment import installer, venv


@click.command("setup", help="Create or repair this project's environment.")
@click.option("--force", is_flag=True, help="Recreate it from scratch.")
@click.option("--install-uv", is_flag=True, help="Install uv first, with pip.")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@click.pass_obj
def command(session: object, *, force: bool, install_uv: bool, dry_run: bool) -> None:
    """Do it, and say what is in it."""
    root = current_project().root
    if dry_run:
        say(("create", venv.shown(root), planned(root, force=force)))
        click.echo("nothing was changed (--dry-run)")
        return
    verbose = bool(getattr(session, "verbose", False))
    if install_uv:
        say(("install", add_uv(verbose=verbose), ""))
    name = venv.shown(root)
    say(("create", name, build(root, name, force=force, verbose=verbose)))


def planned(root: Path, *, force: bool = False) -> str:
    """Say what setting up would do."""
    tool = "uv" if venv.find_uv() else "venv and pip"
    why = "recreated" if force else venv.broken(root) or "brought up to date"
    return f"{why}; with {tool}"


def build(root: Path, shown: str, *, force: bool = False, verbose: bool = False) -> str:
    """Create or repair the environment, with a line that shows it; return what is in it."""
    with Live(f"  create  {shown}  installing", verbose=verbose) as live:
        return installer.set_up(root, force=force, listener=live.hear)


def add_uv(*, verbose: bool = False) -> str:
    """Install uv, with a line that shows it; return what was done."""
    with Live("  install uv", verbose=verbose) as live:
        return venv.install_uv(live.hear)
