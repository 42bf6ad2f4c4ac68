"""EXECUTOR=celery: a real Redis with a password, real workers, and what is killed in mid-run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.cluster import BROKER_PASSWORD, TERMINATED, cluster, runs, shop
from tests.postgres import running

pytestmark = pytest.mark.slow

SOURCES = 3


def test_a_source_that_fails_and_a_worker_and_a_history_that_are_killed(tmp_path: Path) -> None:
    with running() as server, cluster("celery", shop(tmp_path, "celery"), server) as made:
        hub = replace(made, environment={**made.environment, "MANY_SOURCES": str(SOURCES)})
        hub.start_hub()
        for _ in range(2):
            hub.start_worker()
        hub.order(bronze_s02="fail", silver_s00="kill")
        layers = ("bronze", "silver", "gold")
        steps = [f"{layer}_s{number:02}" for layer in layers for number in range(SOURCES)]
        with runs(hub) as carried_out:
            carried_out.wait_for(2)
            said = carried_out.doctor()
            carried_out.begin(*steps)
            hub.wait_until_taken("silver_s00")
            server.restart()
            done = carried_out.end()

        hub.order(bronze_s00="300")
        assert hub.terminated_in_ui("bronze_s00", "silver_s00") == TERMINATED

        assert [text.partition(":")[0] for text in said.values()] == ["ok"] * 3, said
        assert BROKER_PASSWORD not in str(said)
        assert done["status"] == "FAILURE"
        ends = {step: end for step, end in done["steps"].items() if end != "SUCCESS"}
        assert ends == {"bronze_s02": "FAILURE"}, done
        assert {*steps} - done["steps"].keys() == {"silver_s02", "gold_s02"}
        assert done["tries"]["silver_s00"] == 2
        told = " ".join(text for texts in done["errors"]["silver_s00"] for text in texts)
        assert "worker" in told
        for number in range(2):
            assert hub.rows("gold", number) == [(number, number + 2 + row) for row in range(3)]
