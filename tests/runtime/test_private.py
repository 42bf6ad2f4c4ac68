"""The private names of Dagster: all there today, and what happens when one is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polster_runtime.dagster import private
from polster_runtime.dagster.run_launcher import WatchedRunLauncher

RUNTIME = Path(private.__file__).parents[1]


def test_this_dagster_has_them_all() -> None:
    assert private.missing() == []


def test_one_that_is_gone_is_told_and_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"dagster._core.gone.Name": "runs are slower"}
    monkeypatch.setattr(private, "USED", gone)
    assert private.missing() == ["dagster._core.gone.Name: runs are slower"]
    assert WatchedRunLauncher().supports_check_run_worker_health is True, "it needs another"
    monkeypatch.setattr(private, "USED", dict.fromkeys(gone, private.KILLED))
    assert WatchedRunLauncher().supports_check_run_worker_health is False


def test_a_class_that_lost_a_method_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "METHODS", {"dagster.DefaultRunLauncher": ("gone",)})
    assert private.missing() == ["dagster.DefaultRunLauncher: it has changed"]


def test_no_other_module_imports_a_private_name() -> None:
    private_import = re.compile(r"^(from|import) dagster\._", re.MULTILINE)
    files = [path for path in RUNTIME.rglob("*.py") if path.name != "private.py"]
    assert len(files) > 50
    assert [path for path in files if private_import.search(path.read_text("utf-8"))] == []
