"""Launch a run of some assets, read what its first step prints, and terminate it.

    python ui.py FIRST ASSET...

All of it as Dagster's UI does: by its GraphQL, with a code server, and a process for the run. JSON
on stdout.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from polster_runtime.dagster.instance import opened, ready_home

LAUNCH = """mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams:
    $params) { __typename ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message } } }"""
LOGS = "query Logs($key: [String!]!) { capturedLogs(logKey: $key) { stdout } }"
TERMINATE = """mutation Terminate($runIds: [String!]!, $terminatePolicy: TerminateRunPolicy) {
    terminateRuns(runIds: $runIds, terminatePolicy: $terminatePolicy) {
    ... on TerminateRunsResult { terminateRunResults { __typename } } } }"""
PAUSE = 0.2


def main(first: str, names: list[str]) -> dict[str, Any]:
    """Do it; return what was printed, what the UI was told, and how the run ended."""
    target = ModuleTarget("orchestration.definitions", None, str(Path.cwd() / "src"), "shop")
    with opened() as instance, WorkspaceProcessContext(instance, target) as process:
        context = process.create_request_context()

        def ask(query: str, **variables: Any) -> Any:
            ((_, answer),) = execute_dagster_graphql(context, query, variables).data.items()
            return answer

        selector = {
            "repositoryLocationName": "shop",
            "repositoryName": "__repository__",
            "jobName": "all_assets",
            "assetSelection": [{"path": [name]} for name in (first, *names)],
        }
        run_id = ask(LAUNCH, params={"selector": selector, "mode": "default"})["run"]["runId"]
        instance.launch_run(run_id, context)  # which the daemon does with what is in its queue
        printed = ""
        while not printed:
            time.sleep(PAUSE)
            for key in captured(instance, run_id, first):
                printed = ask(LOGS, key=key)["stdout"] or ""
        told = ask(TERMINATE, runIds=[run_id], terminatePolicy="SAFE_TERMINATE")
        while not (run := instance.get_run_by_id(run_id)) or not run.is_finished:
            time.sleep(PAUSE)
        begun = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_START)
        return {
            "printed": printed,
            "told": [one["__typename"] for one in told["terminateRunResults"]],
            "status": run.status.value,
            "begun": [one.event_log_entry.step_key for one in begun.records],
        }


def captured(instance: dg.DagsterInstance, run_id: str, step: str) -> list[list[str]]:
    """Return where what a step prints is."""
    found = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.LOGS_CAPTURED)
    events = [record.event_log_entry.get_dagster_event() for record in found.records]
    data: list[Any] = [event.event_specific_data for event in events]
    return [[run_id, "compute_logs", one.file_key] for one in data if step in one.step_keys]


if __name__ == "__main__":
    ready_home()
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
