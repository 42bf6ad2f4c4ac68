"""What `polster doctor` looks at before a project can look after itself."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polster_core
from polster_core.environment import project_python, venv
from polster_core.environment.process import clean_environment
from polster_core.errors import PolsterError
from polster_core.plugins.calls import call
from polster_core.plugins.manager import Plugins
from polster_core.project import manifest
from polster_core.types import CheckResult, DoctorCheck

_LACKS = "No module named"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at; `status` is ok, warning, error or skipped."""

    name: str
    status: str
    message: str
    hint: str = ""
    failed: bool = False
    """Whether the check itself failed: a plugin's fault, not the project's."""


def of_machine(plugins: Plugins, root: Path | None = None) -> Iterator[Check]:
    """Look at Polster, its Python, its plugins, and what plugins look at."""
    python = f"polster {polster_core.__version__}, Python {platform.python_version()}"
    yield Check(name="polster", status="ok", message=python)
    for info in plugins.broken:
        yield Check(
            name="plugins",
            status="warning",
            message=f"{info.name} ({info.source}) is broken: {info.problem}",
            hint="see them all with  polster plugins",
        )
    yield from of_plugins(plugins, root)


def of_plugins(plugins: Plugins, root: Path | None) -> Iterator[Check]:
    """Let plugins look; one that fails is an error, and the others go on."""
    for name, offer in plugins.doctor_checks().items():
        plugin = plugins.owner(DoctorCheck, name)
        try:
            found = call(plugin, offer, offer.check, root, CheckResult)
        except PolsterError as error:
            yield Check(name=name, status="error", message=error.reason, failed=True)
            continue
        for one in found:
            yield Check(name=name, status=one.status, message=one.message, hint=one.hint)


def of_project(root: Path) -> Iterator[Check]:
    """Look at the project's files and environment, and let the project look at all the rest."""
    yield from _of_files(root)
    problem = venv.problem(root)
    if problem:
        hint = f"make one with  {venv.retry(root)}"
        yield Check(name="environment", status="error", message=problem, hint=hint)
        return
    if lacking := venv.lacking(root):
        message = f"{venv.shown(root)} lacks {', '.join(lacking)}, which pyproject.toml asks for"
        hint = f"install it:  {venv.retry(root)}"
        yield Check(name="environment", status="warning", message=message, hint=hint)
    done = subprocess.run(  # noqa: S603 - it is the project's own code
        [venv.python(root), "-m", project_python.RUNTIME, "doctor", "--json"],
        check=False,
        cwd=root,
        env=clean_environment(venv.folder(root)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    try:
        found = json.loads(done.stdout)["checks"]
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        yield Check(
            name="project",
            status="error",
            message=f"{project_python.RUNTIME} doctor failed: {lines[-1]}",
            hint=_after_failure(root, lines[-1]),
        )
        return
    yield from (
        Check(name=one["name"], status=one["status"], message=one["message"], hint=one["hint"])
        for one in found
    )


def _of_files(root: Path) -> Iterator[Check]:
    """Look for a manifest that this Polster cannot use, and for generated code that is gone."""
    try:
        known = manifest.find(root)
    except PolsterError as error:
        yield Check(name="manifest", status="error", message=error.reason, hint=error.hint or "")
        return
    for path in manifest.missing_shared_code(root, known) if known else ():
        message = f"{path} was generated, and is missing"
        hint = f"if something still needs it, bring it back:  git checkout {path}"
        yield Check(name="files", status="warning", message=message, hint=hint)


def _after_failure(root: Path, said: str) -> str:
    """Say what to do where the project's own doctor ended with these words."""
    if _LACKS in said:
        return f"install what the project needs:  {venv.retry(root)}"
    python = Path(os.path.relpath(venv.python(root), root))
    return f"see all of it with  {python} -m {project_python.RUNTIME} doctor"
