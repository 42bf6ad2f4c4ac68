"""Dagster's history of an asset: it moves along with a rename, and goes with the asset.

Only the project's own Python can do that, and only once the new code is there: as a step of a plan.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from polster_core.assets import env_file
from polster_core.environment import process, venv
from polster_core.errors import PolsterError
from polster_core.model import layout
from polster_core.model.layers import AssetId
from polster_core.plan.definition import Step, read
from polster_core.project.locate import Project

_SHARED = (b"dagster_postgres", b"dagster_mysql", b"postgres_storage", b"mysql_storage")


def renamed(project: Project, old: AssetId, new: AssetId) -> list[Step]:
    """Return the step that keeps the history of a renamed asset; none where there is no history."""
    if not _is_within_reach(project):
        return []

    key = layout.current().key

    def move() -> str:
        done = _run(project, ["rename", key(old.key), key(new.key)])
        return f"in Dagster: {_count(done['events'], 'materialization')}"

    return [Step(name="history", target=f"{old.key} -> {new.key}", summary="in Dagster", run=move)]


def removed(project: Project, assets: Sequence[AssetId]) -> list[Step]:
    """Return the step that makes Dagster forget assets, so that none is shown without its code."""
    if not _is_within_reach(project) or not assets:
        return []

    def forget() -> str:
        done = _run(project, ["remove", *(layout.current().key(asset.key) for asset in assets)])
        return f"in Dagster: {_count(done['assets'], 'asset')} forgotten"

    what = assets[0].key if len(assets) == 1 else f"{len(assets)} assets"
    return [Step(name="history", target=what, summary="forgotten by Dagster", run=forget)]


def warnings(project: Project) -> Iterator[str]:
    """Say why the history is left as it is, where there is one."""
    if _is_shared(project):
        yield "Dagster's history is in a shared database, and is left as it is there"
    elif _has_history(project) and not venv.python(project.root).exists():
        yield "Dagster's history is left as it is: there is no .venv to change it with"


def _is_within_reach(project: Project) -> bool:
    if _is_shared(project) or not _has_history(project):
        return False
    return venv.python(project.root).exists()


def _home(project: Project) -> Path:
    """Return where Dagster keeps the history, as the project's runtime finds it."""
    return project.root / Path(_variable(project, "DAGSTER_HOME") or ".dagster").expanduser()


def _variable(project: Project, name: str) -> str:
    """Return a variable of the shell or, where it does not say, of `.env` and the like."""
    return os.environ.get(name) or env_file.in_effect(project).get(name, "")


def _has_history(project: Project) -> bool:
    home = _home(project)
    return (home / "history").is_dir() or (home / "storage").is_dir()


def _is_shared(project: Project) -> bool:
    """Whether other machines use the same history: not something to change from here."""
    if _variable(project, "DAGSTER_POSTGRES_URL"):
        return True
    settings = read(_home(project) / "dagster.yaml") or b""
    return any(word in settings for word in _SHARED)


def _run(project: Project, args: Sequence[str]) -> dict[str, int]:
    """Run the script in the project's environment; raises PolsterError with its last lines."""
    python, root = venv.python(project.root), project.root
    variables = process.clean_environment(venv.folder(root))
    variables["DAGSTER_HOME"] = str(_home(project))
    variables["POLSTER_MODULES"] = layout.current().module("")
    with as_file(files("polster_core.environment.scripts") / "history.py") as script:
        # -P: the script's own folder is no place to import from.
        command: list[str | Path] = [python, "-P", script, root, *args]
        done = process.run(command, cwd=root, env=variables)
    try:
        if done.code == 0:
            found: dict[str, int] = json.loads(done.lines[-1])
            return found
    except (ValueError, IndexError):
        pass
    raise PolsterError(
        f"Dagster's history could not be changed ({done.ending}); everything else is done",
        details=done.last_lines(),
        hint="the assets' old names stay visible in Dagster until they are wiped there",
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
