"""What steps print on workers: told apart by step, kept in the storage, cut, and deleted."""

from __future__ import annotations

import sys
from contextvars import copy_context
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from polster_runtime.dagster import private
from polster_runtime.dagster.engines import logs
from polster_runtime.storage.registry import store


@pytest.fixture
def manager(project: Path, monkeypatch: pytest.MonkeyPatch) -> logs.WorkerLogs:
    assert project
    for name in ("stdout", "stderr"):  # are put back after the test
        monkeypatch.setattr(sys, name, getattr(sys, name))
    return logs.WorkerLogs()


def printed(manager: logs.WorkerLogs, step: str) -> tuple[Any, Any]:
    """Return what a step of the run `run` has printed, as Dagster's UI asks for it."""
    found = manager.get_log_data(["run", "compute_logs", step])
    return found.stdout, found.stderr


def test_what_two_steps_print_at_once_is_told_apart(
    manager: logs.WorkerLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    together = Barrier(2, timeout=60)

    def step(name: str) -> None:
        with manager.capture_logs(["run", "compute_logs", name]):
            together.wait()
            sys.stdout.write(f"{name}: Grüße\n")
            together.wait()
            sys.stderr.write("trouble\n")
            assert not manager.is_capture_complete(["run", "compute_logs", name])

    threads = [Thread(target=copy_context().run, args=(step, name)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write("of no step\n")
    for name in ("a", "b"):
        assert printed(manager, name) == (f"{name}: Grüße\n".encode(), b"trouble\n")
        assert manager.is_capture_complete(["run", "compute_logs", name])
    assert sorted(capsys.readouterr().out.splitlines()) == ["a: Grüße", "b: Grüße", "of no step"]
    folder = Path(store().root, logs.FOLDER, "run", "compute_logs")
    assert sorted(file.name for file in folder.iterdir()) == [
        f"{name}.{ending}" for name in ("a", "b") for ending in ("done", "err", "out")
    ]
    manager.delete_logs(prefix=["run"])
    assert printed(manager, "a") == (None, None)
    assert not folder.exists()
    manager.delete_logs(prefix=["run"])


def test_it_is_cut_and_read_from_where_a_reader_was(
    manager: logs.WorkerLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LONGEST", 10)
    with manager.capture_logs(["run", "compute_logs", "a"]):
        for _ in range(3):
            sys.stdout.write("12345678\n")
    kind = private.find(f"{private.COMPUTE_LOGS.rpartition('.')[0]}.ComputeIOType").STDOUT
    key, whole = ["run", "compute_logs", "a"], b"12345678\n1" + logs.CUT
    assert manager.get_log_data_for_type(key, kind, 0, None) == (whole, len(whole))
    assert manager.get_log_data_for_type(key, kind, 0, 4) == (b"1234", 4)
    assert manager.get_log_data_for_type(key, kind, 4, 4) == (b"5678", 8)


def test_a_storage_that_refuses_fails_no_step(
    manager: logs.WorkerLogs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: str, data: bytes) -> None:
        raise PermissionError(path, data)

    monkeypatch.setattr(logs, "_write", refuse)
    with manager.capture_logs(["run", "compute_logs", "a"]):
        sys.stdout.write("is lost")
    assert "what a step prints is not kept" in caplog.text
    assert printed(manager, "a") == (None, None)


def test_it_is_kept_where_the_configuration_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(project))
    assert not logs.are_kept()
    file = project / "dagster.yaml"
    file.write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    assert not logs.are_kept()
    lines = "compute_logs: {module: polster_runtime.dagster.engines.logs, class: WorkerLogs}\n"
    file.write_text(lines, encoding="utf-8")
    assert logs.are_kept()
