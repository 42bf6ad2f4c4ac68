"""Dagster's own run launcher, which knows of the runs that it has launched whether they live.

The daemon asks every few seconds (run_monitoring in .dagster/dagster.yaml) and marks a run whose
process has gone as failed; else a machine that lost its power would leave it running for ever,
and what it was about to make would wait for it.
"""

from typing import Any

import dagster as dg
import grpc  # type: ignore[import-untyped]
from dagster import DefaultRunLauncher
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from polster_runtime.dagster.recovery import was_killed

RUNNING = CheckRunHealthResult(WorkerStatus.RUNNING)
GONE = CheckRunHealthResult(WorkerStatus.FAILED, "the process of this run is gone")


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs as DefaultRunLauncher does."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether the daemon may ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run is there: ask the code server that has started it."""
        client: Any = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:  # a run of run_polster.py
            return GONE if was_killed(run.run_id) else RUNNING
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError as error:
            cause = error.__cause__
            refused = isinstance(cause, grpc.Call) and cause.code() is grpc.StatusCode.UNAVAILABLE
            return GONE if refused else RUNNING
        return RUNNING if deserialize_value(answer, CanCancelExecutionResult).can_cancel else GONE
