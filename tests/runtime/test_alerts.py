"""Alerts: what goes wrong with them fails no run."""

from __future__ import annotations

import logging

import dagster as dg
import pytest

from polster_runtime.dagster.alerts import tell_at_once


def test_a_history_that_cannot_be_read_fails_no_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ALERT_URLS", "json://127.0.0.1:1/")
    with dg.DagsterInstance.ephemeral() as instance, caplog.at_level(logging.WARNING):
        tell_at_once(instance, "5b1d07ea-0000-4000-8000-000000000000")  # nobody knows of this run
    assert "no alert could be sent: " in caplog.text
