"""What a Celery worker answers when it is asked what it is and what it has."""

from typing import Any

from celery.worker import state  # type: ignore[import-untyped]
from celery.worker.control import inspect_command  # type: ignore[import-untyped]

from polster_runtime.dagster.engines import identity

ASKED = "polster_about"


@inspect_command(name=ASKED)  # type: ignore[untyped-decorator]
def about(_: Any) -> dict[str, Any]:
    """The identity of this worker, and the ids of the tasks that it has taken."""
    return {"identity": identity.here(), "tasks": [one.id for one in state.reserved_requests]}
