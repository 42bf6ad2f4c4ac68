"""Dagster's own run launcher, which knows of the runs that it has launched whether they live.

The daemon asks every few seconds (run_monitoring in .dagster/dagster.yaml) and marks a run whose
process has gone as failed; else a machine that lost its power would leave it running for ever,
and what it was about to make would wait for it. A run outlives its code server. Terminate in the UI
reaches runs of the terminal as well.
"""

import os
import signal
from typing import TYPE_CHECKING, Any

import dagster as dg
import grpc  # type: ignore[import-untyped]
from dagster import DefaultRunLauncher

from polster_runtime.dagster import private
from polster_runtime.dagster.old_runs import tidy
from polster_runtime.dagster.run_process import lives, number_of

if TYPE_CHECKING:
    from dagster._core.launcher.base import CheckRunHealthResult

RUNS, RUNS_NOT, GONE, NOBODY = "runs", "does not run", "the server is gone", "no server has it"
"""What a code server says of a run; NOBODY is right for those of run_polster.py."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs as DefaultRunLauncher does."""

    def launch_run(self, context: Any) -> None:
        """Launch a run; once a day old ones are deleted first."""
        tidy(self._instance)
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether the daemon may ask: where Dagster has all that the answer needs."""
        return private.has_all(private.KILLED) and private.has_methods(private.LAUNCHER)

    def check_run_worker_health(self, run: dg.DagsterRun) -> "CheckRunHealthResult":
        """Whether the process of a run is there: ask the code server that has started it."""
        status = private.find("dagster._core.launcher.base.WorkerStatus")
        result = private.find("dagster._core.launcher.base.CheckRunHealthResult")
        found: CheckRunHealthResult = (
            result(status.RUNNING)
            if self._lives(run.run_id)
            else result(status.FAILED, "the process of this run is gone")
        )
        return found

    def terminate(self, run_id: str) -> bool:
        """Tell the process of a run to stop: by its code server, or else by a signal."""
        answer = self._ask(run_id)
        run, number = self._instance.get_run_by_id(run_id), number_of(run_id)
        if answer in {RUNS, RUNS_NOT} or number is None or run is None or run.is_finished:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        # SIGINT is what a code server would have sent.
        os.kill(number, signal.SIGTERM if answer == NOBODY else signal.SIGINT)
        return True

    def _lives(self, run_id: str) -> bool:
        answer = self._ask(run_id)
        if answer == NOBODY:
            return lives(run_id) is not False
        return answer == RUNS or (answer == GONE and lives(run_id) is True)

    def _ask(self, run_id: str) -> str:
        """What the code server of a run says; it runs if that is too busy to answer."""
        client: Any = self._get_grpc_client_for_termination(run_id)  # type: ignore[no-untyped-call]
        if client is None or not self.supports_check_run_worker_health:
            return NOBODY
        request = private.find("dagster._grpc.types.CanCancelExecutionRequest")
        unreachable = private.find("dagster._core.errors.DagsterUserCodeUnreachableError")
        try:
            answer = client.can_cancel_execution(request(run_id=run_id))
        except unreachable as error:
            cause = error.__cause__
            refused = isinstance(cause, grpc.Call) and cause.code() is grpc.StatusCode.UNAVAILABLE
            return GONE if refused else RUNS
        result = private.find("dagster._grpc.types.CanCancelExecutionResult")
        read = private.find("dagster._serdes.deserialize_value")
        return RUNS if read(answer, result).can_cancel else RUNS_NOT
