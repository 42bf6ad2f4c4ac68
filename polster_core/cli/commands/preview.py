"""`polster preview`."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import click

from polster_core.environment import venv
from polster_core.environment.process import clean_environment
from polster_core.errors import PolsterError
from polster_core.project.locate import find_project
from polster_core.project.reader import read_pipeline


@click.command("preview", help="Show the rows of an asset, its columns, or its snapshots.")
@click.argument("asset")
@click.option("--rows", type=click.IntRange(min=0), default=10, show_default=True, help="At most.")
@click.option("--history", is_flag=True, help="List the snapshots that are still there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(*, asset: str, rows: int, history: bool, as_json: bool) -> None:
    """Find the asset, and let the project look at its data."""
    project = find_project()
    found = read_pipeline(project, core=False).resolve(asset)
    args = [str(found.id), "--rows", str(rows)]
    args += ["--history"] if history else []
    args += ["--json"] if as_json else []
    click.get_current_context().exit(_look(project.root, args))


def _look(root: Path, args: list[str]) -> int:
    """Run the script in the project's environment; raises PolsterError where there is none."""
    python = venv.python(root)
    if not python.exists():
        raise PolsterError(
            venv.problem(root) or "there is no .venv",
            hint=f"make one with  {venv.retry(root)}",
        )
    sys.stdout.flush()
    with as_file(files("polster_core.environment.scripts") / "preview.py") as script:
        # -P: the script's own folder is no place to import from.
        command = [str(python), "-P", str(script), str(root), *args]
        variables = clean_environment(venv.folder(root))
        return subprocess.run(command, check=False, env=variables).returncode  # noqa: S603
