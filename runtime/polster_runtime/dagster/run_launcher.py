"""Dagster's own run launcher, which knows of the runs that it has launched whether they live.

The daemon asks every few seconds (run_monitoring in .dagster/dagster.yaml) and marks a run whose
process has gone as failed; else a machine that lost its power would leave it running for ever,
and what it was about to make would wait for it.
"""

import logging
from typing import TYPE_CHECKING, Any

import dagster as dg
import grpc  # type: ignore[import-untyped]
from dagster import DefaultRunLauncher

from polster_runtime.dagster import private
from polster_runtime.dagster.old_runs import tidy
from polster_runtime.dagster.recovery import was_killed

if TYPE_CHECKING:
    from dagster._core.launcher.base import CheckRunHealthResult

log = logging.getLogger("core.history")
GONE = "the process of this run is gone"


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs as DefaultRunLauncher does."""

    def launch_run(self, context: Any) -> None:
        """Launch a run; once a day old ones are deleted first."""
        try:
            tidy(self._instance)
        except Exception as error:  # a run must not wait for that
            log.warning("old runs were not deleted: %s", error)
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether the daemon may ask: where Dagster has all that the answer needs."""
        return not private.missing()

    def check_run_worker_health(self, run: dg.DagsterRun) -> "CheckRunHealthResult":
        """Whether the process of a run is there: ask the code server that has started it."""
        status = private.find("dagster._core.launcher.base.WorkerStatus")
        result = private.find("dagster._core.launcher.base.CheckRunHealthResult")
        found: CheckRunHealthResult = (
            result(status.RUNNING) if self._lives(run.run_id) else result(status.FAILED, GONE)
        )
        return found

    def _lives(self, run_id: str) -> bool:
        client: Any = self._get_grpc_client_for_termination(run_id)  # type: ignore[no-untyped-call]
        if client is None:  # a run of run_polster.py
            return not was_killed(run_id)
        request = private.find("dagster._grpc.types.CanCancelExecutionRequest")
        unreachable = private.find("dagster._core.errors.DagsterUserCodeUnreachableError")
        try:
            answer = client.can_cancel_execution(request(run_id=run_id))
        except unreachable as error:
            cause = error.__cause__
            refused = isinstance(cause, grpc.Call) and cause.code() is grpc.StatusCode.UNAVAILABLE
            return not refused
        result = private.find("dagster._grpc.types.CanCancelExecutionResult")
        read = private.find("dagster._serdes.deserialize_value")
        return bool(read(answer, result).can_cancel)
