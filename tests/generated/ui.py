"""The Dagster UI of a generated project that runs: what a test asks it, and has it do."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.generated.projects import Generated
from tests.generated.warm import TIMEOUT

ADDRESS = re.compile(r"Dagster UI: ((http://127\.0\.0\.1:(\d+))/\S+)")
LAUNCH = """
mutation($keys: [AssetKeyInput!]!) { launchPipelineExecution(executionParams: {
  mode: "default",
  selector: {repositoryLocationName: "shop", repositoryName: "__repository__",
             pipelineName: "__ASSET_JOB", assetSelection: $keys}
}) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
RUN = """
query($id: ID!) { runOrError(runId: $id) { ... on Run { status parentRunId endTime } } }
"""
TERMINATE = """
mutation($id: String!) { terminateRun(runId: $id) {
  __typename ... on TerminateRunFailure { message } ... on PythonError { message }
} }
"""
LAST = "{ runsOrError(limit: 1) { ... on Runs { results { runId } } } }"


@dataclass
class UI:
    """A UI that is running."""

    shop: Generated
    process: subprocess.Popen[str]
    said: list[str]
    page: str
    address: str
    port: int

    def ask(self, query: str, **variables: Any) -> Any:
        """Ask Dagster through GraphQL."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/graphql", body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]


@contextmanager
def ui(shop: Generated, *args: str, **env: str) -> Iterator[UI]:
    """Start run_polster.py --ui, and wait for its address; no run starts by itself."""
    env = {"AUTOMATION_ENABLED": "false", **env}
    process = shop.start("run_polster.py", "--ui", *args, env=env)
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := ADDRESS.search(line):
                yield UI(shop, process, said, found[1], found[2], int(found[3]))
                break
        else:
            pytest.fail(f"no address: {said}")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)


def last_run(one: UI) -> str:
    """Return the newest run."""
    run_id: str = one.ask(LAST)["runsOrError"]["results"][0]["runId"]
    return run_id


@contextmanager
def held(one: UI) -> Iterator[None]:
    """Hold the source that can be held."""
    file = one.shop.root / "data" / "held"
    file.touch()
    try:
        yield
    finally:
        file.unlink()


def end_of(one: UI, run_id: str, *states: str) -> Mapping[str, Any]:
    """Wait until a run is in one of these states, and return what Dagster says of it."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        run: Mapping[str, Any] = one.ask(RUN, id=run_id)["runOrError"]
        if run["status"] in states:
            return run
        assert time.monotonic() < deadline, run
        assert run["status"] not in {"SUCCESS", "FAILURE"}
        time.sleep(0.5)


def launch(one: UI, *assets: str) -> str:
    """Start a run as the UI does, and return its id."""
    keys = [{"path": [f"run_{stem}"]} for stem in assets]
    answer = one.ask(LAUNCH, keys=keys)["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id: str = answer["run"]["runId"]
    return run_id


def terminated(one: UI, run_id: str) -> Mapping[str, Any]:
    """Terminate a run, wait for its end, and return what Dagster says of it."""
    assert one.ask(TERMINATE, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess"
    deadline = time.monotonic() + TIMEOUT
    while True:
        run: Mapping[str, Any] = one.ask(RUN, id=run_id)["runOrError"]
        if run["endTime"]:
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.2)
