"""`ci/run.py`: reports whatever happens, and lets no secret out."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polster_core.rendering import render
from tests.cicd.conftest import SECRET
from tests.cicd.steps import machine_variables

PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBKc\n-----END KEY-----"
CONNECTION = "DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=c2VjcmV0LWtleQ==;"


class Pipeline:
    """A folder with `ci/run.py` and a stand-in for run_polster.py that says what it is told."""

    def __init__(self, folder: Path) -> None:
        """Write both."""
        self.root = folder
        (folder / "ci").mkdir()
        text = render("polster_core", "templates/cicd/ci/run.py", {})
        (folder / "ci" / "run.py").write_text(text, encoding="utf-8")

    def command(self, code: str) -> list[str]:
        """Return the command line, for a run_polster.py of this code."""
        script = f"import json, os, sys, time, urllib.parse\n{code}\n"
        (self.root / "run_polster.py").write_text(script, encoding="utf-8")
        return [sys.executable, "ci/run.py", "--select", "*"]

    def run(self, code: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run it; return the exit code and what the platform's log shows."""
        done = subprocess.run(
            self.command(code),
            check=False,
            cwd=self.root,
            env=machine_variables(**(env or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return done.returncode, done.stdout

    def report(self, name: str) -> str:
        """Return a file of reports/."""
        return (self.root / "reports" / name).read_text(encoding="utf-8")

    def everything(self) -> str:
        """Return all reports."""
        return "\n".join(path.read_text("utf-8") for path in (self.root / "reports").iterdir())


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """Make one."""
    return Pipeline(tmp_path)


def asset(name: str, status: str, error: str | None = None) -> dict[str, object]:
    return {
        "key": f"run_{name}",
        "layer": name.partition("_")[0],
        "name": name.partition("_")[2],
        "status": status,
        "rows": 1214 if status == "succeeded" else None,
        "rejected": 42 if status == "succeeded" else None,
        "seconds": 0.5 if status == "succeeded" else None,
        "path": "data/x.parquet",
        "error": error,
        "deps": [] if name.startswith("bronze") else [f"run_bronze_{name.partition('_')[2]}"],
    }


def says(*assets: dict[str, object], success: bool = False) -> str:
    outcome = {"success": success, "run_id": "1", "seconds": 2.0, "assets": assets}
    return f"print({json.dumps(json.dumps(outcome))}); sys.exit({0 if success else 1})"


def test_a_table_and_test_cases_for_people(pipeline: Pipeline, tmp_path: Path) -> None:
    assets = [
        asset("bronze_orders", "succeeded"),
        asset("bronze_returns", "failed", "line one | with\nline two \x00"),
        asset("silver_returns", "skipped", "bronze_returns failed"),
    ]
    summary = tmp_path / "summary.md"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "ENV": "prod"}
    code, log = pipeline.run(says(*assets), env)
    assert code == 1
    text = summary.read_text(encoding="utf-8")
    assert text == pipeline.report("summary.md")
    assert text == (
        "## Polster (prod): failed in 2.0 s\n\n"
        "| Asset | Status | Rows | Rejected | Seconds | |\n"
        "|---|---|---:|---:|---:|---|\n"
        "| bronze_orders | succeeded | 1,214 | 42 | 0.50 |  |\n"
        "| bronze_returns | failed |  |  |  | line one \\| with line two \x00 |\n"
        "| silver_returns | skipped |  |  |  | bronze_returns failed |\n"
        f"\n```mermaid\n{pipeline.report('lineage.mmd')}```\n"
    )
    picture = pipeline.report("lineage.mmd").splitlines()
    assert "  run_bronze_returns[bronze_returns]:::failed" in picture
    assert "  run_bronze_returns --> run_silver_returns" in picture
    suite = ET.fromstring(pipeline.report("junit.xml"))  # noqa: S314 - ours
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    assert log.splitlines()[-1] == "::error title=Polster::the run failed with exit code 1"
    assert json.loads(pipeline.report("run.json"))["assets"][0]["rows"] == 1214


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("print('error: no such asset'); sys.exit(2)", 2),
        ("raise MemoryError('too much')", 1),
        ("os.kill(os.getpid(), 9)", 137),
        ("print('{\"success\": tru')", 0),
    ],
)
def test_reports_also_when_there_are_no_results(code: str, ends: int, pipeline: Pipeline) -> None:
    found, _ = pipeline.run(f"print('it began', flush=True)\n{code}")
    assert found == ends
    summary = pipeline.report("summary.md")
    assert summary.startswith(f"## Polster (dev): stopped, exit code {ends}\n")
    assert "it began" in summary
    failures = ET.fromstring(pipeline.report("junit.xml")).get("failures")  # noqa: S314
    assert failures == ("1" if ends else "0")


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_pipeline_that_is_cancelled_stops_the_run_and_reports(
    name: signal.Signals, pipeline: Pipeline
) -> None:
    command = pipeline.command("print('it began', flush=True); time.sleep(600)")
    with subprocess.Popen(
        command, cwd=pipeline.root, env=machine_variables(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"it began\n"
        began = time.monotonic()
        process.send_signal(name)
        process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert time.monotonic() - began < 300
    assert "stopped, exit code 143" in pipeline.report("summary.md")


SPELLED = """
from urllib.parse import quote, quote_plus
import base64
for secret in (os.environ["API_TOKEN"], os.environ["MY_KEY"].splitlines()[2], "c2VjcmV0LWtleQ=="):
    for text in (secret, quote(secret), quote_plus(secret), quote(secret, safe="").lower(),
                 json.dumps(secret), repr(secret), base64.b64encode(secret.encode()).decode()):
        print("here:", text, "and", text[::-1])
        print("here:", text, file=sys.stderr)
print(os.environ["MINE"])
"""


def test_no_secret_gets_out_however_it_is_spelled(pipeline: Pipeline) -> None:
    env = {
        "API_TOKEN": SECRET,
        "MY_KEY": PEM,
        "ADLS_CONNECTION_STRING": CONNECTION,
        "MINE": "not-a-telling-name",
        "POLSTER_MASK": "MINE",
    }
    failed = asset("bronze_orders", "failed", f"refused {SECRET}")
    _, log = pipeline.run(SPELLED + says(failed), env)
    told = log + pipeline.everything()
    assert told.count("here: ***") >= 28
    for secret in (SECRET, "kiG9w0BAQEFAASCBKc", "c2VjcmV0LWtleQ==", "not-a-telling-name"):
        assert secret not in told
    assert "hunter2" not in told.lower()
    assert json.loads(pipeline.report("run.json"))["assets"][0]["error"] == "refused ***"


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(secret=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=4))
def test_no_text_is_a_secret_that_gets_out(secret: str, pipeline: Pipeline) -> None:
    """Whatever the value is: masking neither fails nor spoils the results."""
    if secret.strip().lower() in {"", "true", "false", "none", "null"} or "\r" in secret:
        return
    before = "print('>', os.environ['API_TOKEN'].strip(), '<')\n"
    code, log = pipeline.run(
        before + says(asset("bronze_orders", "succeeded"), success=True), {"API_TOKEN": secret}
    )
    assert code == 0, log
    assert json.loads(pipeline.report("run.json"))["success"] is True
    if len(secret.strip()) >= 4 and "\n" not in secret.strip():
        assert re.search(r"> ?\*\*\* ?<", log)  # white space at its ends may be part of it


def test_variables_that_are_not_set_are_not_there(pipeline: Pipeline) -> None:
    """GitHub hands over "" for a secret that nobody defined, Azure the literal $(NAME)."""
    show = "print({name: os.environ.get(name) for name in ('A_KEY', 'B', 'C', 'AZURE_X', 'ENV')})"
    env = {
        "A_KEY": "",
        "B": "$(B)",
        "C": "",
        "POLSTER_VARIABLES": json.dumps({"C": "plain", "AZURE_X": "1", "ENV": "dev"}),
        "ENV": "prod",
    }
    _, log = pipeline.run(show, env)
    assert "{'A_KEY': None, 'B': None, 'C': 'plain', 'AZURE_X': None, 'ENV': 'prod'}" in log


def test_data_gives_no_commands_to_the_platform(pipeline: Pipeline) -> None:
    text = "::add-mask::x\\n##vso[task.setvariable variable=PATH]/tmp"
    _, log = pipeline.run(f"print('{text}')", {"TF_BUILD": "True"})
    assert "##vso[task.setvariable" not in log
    assert f"##vso[task.uploadsummary]{pipeline.root}" in log
    _, log = pipeline.run(f"print('{text}')", {"GITHUB_ACTIONS": "true"})
    first, *rest = log.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert rest.index("::add-mask::x") < rest.index(f"::{token}::")
