"""Carry out runs as the processes of runs do: one for each line on stdin, JSON on stdout.

A line names the assets of a run, separated by spaces; an empty one is all of them. `cancel KIND`
before them terminates the run as the UI does, once an event of that kind has happened.
`range FIRST LAST` before them is the partitions that they have. `wait 2`
waits until two workers are there; `doctor` says what doctor says of the executor.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository

from polster_runtime.dagster import executors
from polster_runtime.dagster.doctor import executor_steps
from polster_runtime.dagster.instance import opened, ready_home
from polster_runtime.dagster.partition_runs import END, START
from polster_runtime.errors import PipelineError


def carry_out(instance: dg.DagsterInstance, names: list[str], span: list[str]) -> dict[str, Any]:
    """Run assets; return how the run and each of its steps ended, and what was said of failures."""
    module = ReconstructableRepository.for_module(
        "orchestration.definitions", "defs", working_directory=str(Path.cwd() / "src")
    )
    began = time.monotonic()
    with (
        suppress(dg.DagsterExecutionInterruptedError),
        dg.execute_job(
            ReconstructableJob(repository=module, job_name="__ASSET_JOB" if span else "all_assets"),
            instance=instance,
            tags=dict(zip((START, END), span, strict=False)),
            asset_selection=[dg.AssetKey(name) for name in names] or None,
            raise_on_error=False,
        ),
    ):
        pass
    run_id = instance.get_runs(limit=1)[0].run_id
    run, ends = instance.get_run_by_id(run_id), dict[str, str]()
    tries, errors = dict[str, int](), dict[str, list[list[str]]]()
    materialized, printed = list[str](), dict[str, str]()
    for record in instance.get_records_for_run(run_id).records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        kind, step = event.event_type_value, event.step_key or ""
        if kind == "ASSET_MATERIALIZATION" and event.partition:
            materialized.append(event.partition)
        if kind in {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}:
            ends[step] = kind.removeprefix("STEP_")
        if kind == "LOGS_CAPTURED":
            found: Any = event.event_specific_data
            key = instance.compute_log_manager.build_log_key_for_run(run_id, found.file_key)
            text = instance.compute_log_manager.get_log_data(key).stdout or b""
            printed |= dict.fromkeys(found.step_keys, text.decode())
        if kind in {"STEP_START", "STEP_RESTARTED"}:
            tries[step] = tries.get(step, 0) + 1
        if event.is_step_failure or event.is_step_up_for_retry or event.is_run_failure:
            data = event.event_specific_data
            error = getattr(data, "error", None)
            causes = [error, getattr(error, "cause", None)]
            errors.setdefault(step, []).append([one.message for one in causes if one])
    return {
        "run_id": run_id,
        "status": run.status.value if run else "",
        "steps": ends,
        "printed": printed,
        "materialized": sorted(materialized),
        "tries": tries,
        "errors": errors,
        "seconds": round(time.monotonic() - began, 2),
    }


def cancel_at(kind: str, instance: dg.DagsterInstance) -> None:
    """Terminate the run that begins now as the run launcher does, once an event has happened."""
    before = {run.run_id for run in instance.get_runs()}

    def has_happened() -> dg.DagsterRun | None:
        for run in instance.get_runs(limit=1):
            new = run.run_id not in before
            of_type = {dg.DagsterEventType(kind)}
            if new and instance.get_records_for_run(run.run_id, of_type=of_type).records:
                return run
        return None

    def terminate() -> None:
        while (run := has_happened()) is None:
            time.sleep(0.2)
        instance.report_run_canceling(run)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=terminate, daemon=True).start()


def wait_for(workers: int) -> int:
    """Wait until so many workers of the engine say what they are."""
    engine = executors.engine(os.environ["EXECUTOR"]).engine()
    try:
        while True:
            with suppress(PipelineError):  # the scheduler or broker has just begun
                if (found := len(engine.workers())) == workers:
                    return found
            time.sleep(0.2)
    finally:
        engine.close()


def doctor() -> dict[str, str]:
    """Return what doctor says of the executor."""
    said = dict[str, str]()
    try:
        for label, step in executor_steps():
            said[label] = f"ok: {step()}"
    except PipelineError as error:
        said["error"] = str(error)
    return said


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what assets print is no answer
    ready_home()
    with opened() as opened_instance:
        for line in sys.stdin:
            words = line.split()
            if words[:1] == ["wait"]:
                print(wait_for(int(words[1])), file=answers, flush=True)
                continue
            if words == ["doctor"]:
                print(json.dumps(doctor()), file=answers, flush=True)
                continue
            if words[:1] == ["cancel"]:
                cancel_at(words[1], opened_instance)
                words = words[2:]
            span = words[1:3] if words[:1] == ["range"] else []
            names = words[3:] if span else words
            print(json.dumps(carry_out(opened_instance, names, span)), file=answers, flush=True)
