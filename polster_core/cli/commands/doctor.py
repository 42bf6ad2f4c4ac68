"""`polster doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain

import click

from polster_core.cli.context import plugins_here
from polster_core.cli.working_project import current_project
from polster_core.doctor import Check, of_machine, of_project
from polster_core.errors import PluginError
from polster_core.project.locate import NoProjectError, Project

_COLORS = {"ok": "green", "warning": "yellow", "error": "red", "skipped": None}
_WIDTH = 9


@click.command("doctor", help="Diagnose this project and suggest fixes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(*, as_json: bool) -> None:
    """Check everything; exit with 1 if something is an error."""
    plugins, project = plugins_here(), _project()
    checks = chain(of_machine(plugins, getattr(project, "root", None)), _of_project(project))
    found = list(checks) if as_json else list(_told(checks))
    ok = all(check.status != "error" for check in found)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [_as_dict(one) for one in found]}, indent=2))
    if any(check.failed for check in found):
        click.get_current_context().exit(PluginError.exit_code)
    if not ok:
        click.get_current_context().exit(1)


def _as_dict(check: Check) -> dict[str, str]:
    return {name: text for name, text in asdict(check).items() if name != "failed"}


def _project() -> Project | NoProjectError:
    try:
        return current_project()
    except NoProjectError as error:
        return error


def _of_project(found: Project | NoProjectError) -> Iterator[Check]:
    if isinstance(found, Project):
        yield from of_project(found.root)
    else:
        yield Check(name="project", status="skipped", message=found.reason, hint=found.hint or "")


def _told(checks: Iterable[Check]) -> Iterator[Check]:
    """Print each check as it comes."""
    for check in checks:
        status = click.style(f"{check.status:<{_WIDTH}}", fg=_COLORS.get(check.status))
        click.echo(f"{status}{': '.join(filter(None, (check.name, check.message)))}")
        if check.hint:
            click.echo(f"{'':<{_WIDTH}}{check.hint}")
        yield check
