"""`polster backfill`."""

from __future__ import annotations

import click

from polster_core.cli.working_project import current_project
from polster_core.environment import project_python
from polster_core.errors import UsageProblem
from polster_core.project.reader import read_pipeline


@click.command("backfill", help="Compute partitions of assets: all, some, or missing ones.")
@click.argument("assets", nargs=-1, required=True, metavar="ASSET...")
@click.option("--partition", metavar="KEY", help="One, or FIRST..LAST.  [default: all]")
@click.option("--missing", is_flag=True, help="Only those that have no data.")
@click.option("--full-refresh", is_flag=True, help="Take the place of rows without partitions.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and how long it took before.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    *,
    assets: tuple[str, ...],
    partition: str | None,
    missing: bool,
    full_refresh: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Find the assets, and let the project run them."""
    project = current_project()
    pipeline = read_pipeline(project, core=False)
    found = [pipeline.resolve(name) for name in assets]
    if not any(one.definitions and one.definitions[0].partitions for one in found):
        names = " and ".join(map(str, found))
        raise UsageProblem(f"{names} has no partitions", hint=f"polster run --asset {found[0]}")
    flags = {
        "--missing": missing,
        "--full-refresh": full_refresh,
        "--dry-run": dry_run,
        "--json": as_json,
    }
    which = partition or ("" if missing else "..")
    arguments = [
        *(argument for one in found for argument in ("--asset", str(one.id))),
        *([f"--partition={which}"] if which else []),
        *(flag for flag, given in flags.items() if given),
    ]
    code = project_python.run(project.root, arguments)
    click.get_current_context().exit(code)
