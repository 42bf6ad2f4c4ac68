"""What `doctor` says of Dagster: its version, its history, its daemon."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from polster_runtime.config.paths import project_root
from polster_runtime.errors import PipelineError


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `status` is ok, warning, error or skipped."""

    name: str
    status: str
    message: str
    hint: str = ""


def private_names() -> Check:
    """Whether this Dagster has the private names that the runtime builds on."""
    from polster_runtime.dagster.doctor import missing_names

    if missing := missing_names():
        hint = "the project works on; look for a newer Polster:  polster upgrade"
        return Check("dagster", "warning", "; ".join(missing), hint)
    return Check("dagster", "ok", "it has all that the runtime builds on")


def history() -> Iterator[Check]:
    """Where Dagster keeps its history, and whether the daemon has said lately that it lives."""
    if not (project_root() / ".dagster" / "dagster.yaml").exists():
        hint = "git checkout .dagster/dagster.yaml"
        yield Check("history", "warning", ".dagster/dagster.yaml is missing", hint)
    if (project_root() / ".dagster" / "run_polster.yaml").exists():
        hint = "delete it: run_polster.py reads dagster.yaml as all of Dagster does"
        yield Check("history", "warning", "nothing reads .dagster/run_polster.yaml", hint)
    from polster_runtime.dagster.doctor import history_in_words

    try:
        yield Check("history", "ok", history_in_words())
        yield _daemon()
    except PipelineError as error:
        message, _, hint = str(error).partition("; ")
        yield Check("history", "error", message, hint)
        yield Check("daemon", "skipped", "")


def executor() -> Iterator[tuple[str, Callable[[], str]]]:
    """What runs steps on other machines: steps that need each other."""
    from polster_runtime.dagster.doctor import executor_steps

    try:
        yield from executor_steps()
    except PipelineError as error:
        told = error

        def refused() -> str:
            raise told

        yield "settings", refused


def _daemon() -> Check:
    from polster_runtime.dagster.doctor import daemon_runs

    if daemon_runs():
        return Check("daemon", "ok", "it runs: assets start by themselves")
    hint = "python run_polster.py --no-materialize --ui  starts it"
    return Check("daemon", "warning", "it does not run: no asset starts by itself", hint)
