"""`polster plugins`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from polster_core.cli import failure
from polster_core.plugins import PluginInfo, Plugins, Status, installed

_MANY = 3


@click.command("plugins", help="List what is installed, what is broken and why.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for machines.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(*, form: str, as_json: bool) -> None:
    """Question every plugin, then print."""
    infos = _questioned(plugins_here())
    if as_json or form == "json":
        click.echo(json.dumps({"plugins": [_as_dict(info) for info in infos]}, indent=2))
    else:
        click.echo("\n".join(_table(infos)))


def plugins_here() -> Plugins:
    """Load the installed plugins, without those that the project around us turns off."""
    from polster_core.project import NoProjectError, find_project

    try:
        names = find_project().settings.get("disable-plugins", ())
    except NoProjectError:
        names = ()
    return installed(frozenset(map(str, names)) if isinstance(names, list) else frozenset())


def warn_of_broken(plugins: Plugins) -> None:
    """Print one line on stderr for each plugin that is known to be broken."""
    for info in plugins.broken:
        failure.warn(f"plugin {info.name} ({info.source}): {info.problem}")


def _questioned(plugins: Plugins) -> list[PluginInfo]:
    from polster_core.options import flags

    flags(plugins)
    return plugins.infos


def _as_dict(info: PluginInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "distribution": info.distribution,
        "version": info.version,
        "status": str(info.status),
        "problem": info.problem,
        "provides": list(info.provides),
        "notes": list(info.notes),
    }


def _table(infos: list[PluginInfo]) -> list[str]:
    rows = [("NAME", "FROM", "STATUS", "PROVIDES")]
    for info in infos:
        what = info.problem if info.status is Status.BROKEN else _shortly(info.provides)
        rows.append((info.name, info.source, str(info.status), what or ""))
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
