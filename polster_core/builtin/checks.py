"""What `polster doctor` looks at through the hook that teams use for theirs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from polster_core.hookspecs import hookimpl
from polster_core.types import CheckResult, DoctorCheck


@hookimpl
def polster_doctor_checks() -> Iterable[DoctorCheck]:
    """Look for uv, which installs faster than pip, and for pipelines that nobody sees."""
    yield DoctorCheck(name="uv", summary="uv is installed.", check=_uv)
    yield DoctorCheck(name="pipelines", summary="Platforms find the pipelines.", check=_pipelines)


def _pipelines(root: Path | None) -> Iterable[CheckResult]:
    from polster_core.builtin.rules.generated_files import unseen_pipelines
    from polster_core.errors import PolsterError
    from polster_core.project import manifest

    try:
        known = manifest.find(root) if root else None
    except PolsterError:  # which `polster validate` says
        return
    for message, hint in unseen_pipelines(root, known) if root and known else ():
        yield CheckResult(status="warning", message=message, hint=hint)


def _uv(_: Path | None) -> Iterable[CheckResult]:
    from polster_core.environment import venv
    from polster_core.environment.process import run
    from polster_core.errors import PolsterError

    hint = "pipx install uv"
    uv = venv.find_uv()
    if uv is None:
        yield CheckResult(status="warning", message="not found: pip is used", hint=hint)
        return
    try:
        done = run([uv, "--version"], cwd=Path.cwd())
    except PolsterError as error:
        yield CheckResult(status="warning", message=error.reason, hint=hint)
    else:
        version = done.lines[-1] if done.lines else done.ending
        yield CheckResult(message=version.removeprefix("uv "))
