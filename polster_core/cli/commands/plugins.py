"""`polster plugins`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from polster_core.cli import console, plugin_page
from polster_core.cli.context import SETTING, disabled_here, local_here, plugins_here
from polster_core.plugins.info import PluginInfo, Status
from polster_core.plugins.manager import Plugins
from polster_core.plugins.origin import normalized
from polster_core.scaffold.plugin import KINDS

_MANY = 3


@click.group(
    "plugins",
    help="List what is installed, what is broken and why.",
    invoke_without_command=True,
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for machines.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def command(context: click.Context, *, form: str, as_json: bool) -> None:
    """Question every plugin, then print."""
    if context.invoked_subcommand is not None:
        return
    plugins = plugins_here()
    for name in sorted(disabled_here()):
        if normalized(name) not in plugins.names:
            console.warn(f"{SETTING}: no plugin is called {name}")
    infos = questioned(plugins)
    if as_json or form == "json":
        click.echo(json.dumps({"plugins": [plugin_page.as_dict(info) for info in infos]}, indent=2))
    else:
        click.echo("\n".join(_table(infos)))


def questioned(plugins: Plugins) -> list[PluginInfo]:
    """Ask every plugin for all that it offers, and return what became of each."""
    from polster_core.cli import plugin_commands
    from polster_core.cli.commands import COMMANDS
    from polster_core.cli.options import templates
    from polster_core.plugins.options import flags

    flags(plugins)
    templates.shared_flags(plugins)
    plugin_commands.of(plugins, COMMANDS)
    return plugins.infos


def _table(infos: list[PluginInfo]) -> list[str]:
    rows = [("NAME", "FROM", "STATUS", "PROVIDES")]
    for info in infos:
        what = info.problem if info.status is Status.BROKEN else _shortly(info.provides)
        words = "; ".join(filter(None, (what, *info.notes)))
        rows.append((info.name, info.source, str(info.status), words))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join((*(f"{row[i]:<{widths[i]}}" for i in range(3)), row[3])).rstrip() for row in rows
    ]


def _shortly(provides: Sequence[str]) -> str:
    """Name what a plugin provides; count what it has many of: `21 rules`."""
    kinds: dict[str, list[str]] = {}
    for thing in provides:
        kinds.setdefault(thing.rpartition(" ")[0], []).append(thing)
    return ", ".join(
        f"{len(things)} {kind}s" if len(things) > _MANY else ", ".join(things)
        for kind, things in kinds.items()
    )


@command.command("show", help="Show all about the plugin NAME: what it offers, what is wrong.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def show(*, name: str, as_json: bool) -> None:
    """Find it by its name, that of its distribution, or what it offers."""
    plugins = plugins_here()
    infos = plugin_page.find(questioned(plugins), name)
    pages = [plugin_page.read(plugins, info) for info in infos]
    if as_json:
        click.echo(json.dumps({"plugins": [page.as_dict() for page in pages]}, indent=2))
    else:
        click.echo("\n\n".join("\n".join(page.lines()) for page in pages))


@command.command("trust", help="Let this project's own plugins run on this machine.")
@click.option("--revoke", is_flag=True, help="Trust it no longer.")
def trust(*, revoke: bool) -> None:
    """Say which files will run, and remember it."""
    from polster_core.plugins import trust as trusted
    from polster_core.project.locate import find_project

    project = find_project()
    files = [plugin.path for plugin in local_here()]
    if revoke:
        trusted.distrust(project.root)
        click.echo(f"{project.root} is not trusted any more")
        return
    trusted.trust(project.root)
    click.echo(f"{project.root} is trusted on this machine")
    for path in files:
        click.echo(f"  runs  {path}")
    if not files:
        click.echo("  it has no plugins of its own: nothing runs yet")


@command.command("install", help="Install plugins beside Polster, however that was installed.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--dry-run", is_flag=True, help="Show the command, and stop.")
def install(*, names: tuple[str, ...], dry_run: bool) -> None:
    """Run the command that fits; in a project, note that it needs them."""
    import shlex
    from pathlib import Path

    import polster_core
    from polster_core.environment.own_install import install_command
    from polster_core.environment.process import run
    from polster_core.errors import PolsterError

    wanted = install_command(names, polster_core.__version__)
    click.echo(f"  {shlex.join(wanted)}")
    if dry_run:
        return
    done = run(wanted, cwd=Path.cwd())
    if done.code:
        raise PolsterError(
            f"{Path(wanted[0]).name} ended with {done.ending}; nothing was installed",
            details=done.last_lines(),
            hint="run the command above by hand to see all of it",
        )
    _note_needed(names)


def _note_needed(names: Sequence[str]) -> None:
    """Write the plugins into `required_plugins` of the project around us, if there is one."""
    from polster_core.assets import pyproject
    from polster_core.cli.access import this_project
    from polster_core.plan.definition import read
    from polster_core.project.locate import NoProjectError
    from polster_core.types import NewFile

    try:
        project = this_project()
    except NoProjectError:
        return
    needed = [name for name in names if not {"/", "\\", "."} & {*name.partition("=")[0]}]
    before = read(project.root / pyproject.PATH) or b""
    after = pyproject.with_plugins(before, needed)
    if after != before:
        project.change([NewFile(path=pyproject.PATH, text=after)])


@command.command("new", help="Write a plugin to start from, in the folder polster-plugin-NAME.")
@click.argument("name")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    required=True,
    help="What it offers; may be given more than once.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")
def new(*, name: str, kinds: tuple[str, ...], dry_run: bool) -> None:
    """Check the name, write the distribution, and say what to do next."""
    from pathlib import Path

    from polster_core.cli.commands import COMMANDS
    from polster_core.cli.execute import carry_out, say_next
    from polster_core.errors import UsageProblem
    from polster_core.scaffold import plugin

    wanted = plugin.request(name, kinds)
    if "command" in kinds and wanted.name in COMMANDS:
        raise UsageProblem(f"{wanted.name} is one of Polster's own commands", hint="choose another")
    plan = plugin.plan(Path.cwd(), wanted, plugins_here())
    carry_out(plan, dry_run=dry_run, prefix=f"{wanted.distribution}/")
    if not dry_run:
        say_next(
            [
                (f"cd {wanted.distribution}", ""),
                ('pip install -e ".[dev]"', "beside Polster"),
                ("pytest", ""),
                *([(f"polster plugins show {wanted.entry_point}", "")] if wanted.has_hooks else []),
            ]
        )
