"""The lock of a run: who lives, who was killed, and which process it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polster_runtime.dagster import run_process
from polster_runtime.dagster.run_process import held, killed, known, lives, number_of

PROGRAM = Path(__file__).with_name("holds_a_run.py")
RUNTIME = Path(run_process.__file__).parents[2]


def start(seconds: float) -> subprocess.Popen[str]:
    """Start a process that carries out a run."""
    command = [sys.executable, str(PROGRAM), str(seconds)]
    env = {**os.environ, "PYTHONPATH": str(RUNTIME)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_run_that_lives_and_one_that_was_killed(project: Path) -> None:
    assert lives("run") is None
    with start(600) as process:
        assert lives("run") is True
        assert number_of("run") == process.pid
        with killed("run") as is_killed:
            assert is_killed is False
        process.kill()
    assert lives("run") is False
    assert number_of("run") is None
    assert [*known()] == ["run"]
    with killed("run") as is_killed:
        assert is_killed is True
    assert [*known()] == []
    assert [*(project / ".dagster" / "running").iterdir()] == []


def test_a_run_that_ends_leaves_nothing(project: Path) -> None:
    with start(0) as process:
        process.wait()
    assert lives("run") is None
    assert [*(project / ".dagster" / "running").iterdir()] == []


def test_one_process_may_hold_it_twice() -> None:
    with held("run"):
        with held("run"):
            assert number_of("run") == os.getpid()
        assert lives("run") is True
    assert lives("run") is None


def test_a_process_of_another_machine_has_no_number_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with held("run"):
        monkeypatch.setattr("platform.node", lambda: "elsewhere")
        assert number_of("run") is None


def test_a_folder_that_cannot_be_written_stops_no_run(project: Path) -> None:
    (project / ".dagster").write_text("a file")
    with held("run"):
        assert lives("run") is None
