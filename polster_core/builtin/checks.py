"""What `polster doctor` looks at through the hook that teams use for theirs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from polster_core.hookspecs import hookimpl
from polster_core.types import CheckResult, DoctorCheck


@hookimpl
def polster_doctor_checks() -> Iterable[DoctorCheck]:
    """Look for uv, which installs faster than pip."""
    yield DoctorCheck(name="uv", summary="uv is installed.", check=_uv)


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
