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
from polster_core.project.locate import NoProjectError

_COLORS = {"ok": "green", "warning": "yellow", "error": "red", "skipped": None}
_WIDTH = 9


@click.command("doctor", help="Diagnose this project and suggest fixes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(*, as_json: bool) -> None:
    """Check everything; exit with 1 if something is an error."""
    checks = chain(of_machine(plugins_here()), _of_project())
    found = list(checks) if as_json else list(_told(checks))
    ok = all(check.status != "error" for check in found)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [asdict(check) for check in found]}, indent=2))
    if not ok:
        click.get_current_context().exit(1)


def _of_project() -> Iterator[Check]:
    try:
        root = current_project().root
    except NoProjectError as error:
        yield Check(name="project", status="skipped", message=error.reason, hint=error.hint or "")
    else:
        yield from of_project(root)


def _told(checks: Iterable[Check]) -> Iterator[Check]:
    """Print each check as it comes."""
    for check in checks:
        status = click.style(f"{check.status:<{_WIDTH}}", fg=_COLORS.get(check.status))
        click.echo(f"{status}{': '.join(filter(None, (check.name, check.message)))}")
        if check.hint:
            click.echo(f"{'':<{_WIDTH}}{check.hint}")
        yield check
