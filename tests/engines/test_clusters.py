"""Steps on Dask: a real scheduler and real workers, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.cluster import (
    SAMPLE,
    SOURCES,
    TERMINATED,
    Cluster,
    Runs,
    cluster,
    runs,
    shop,
)
from tests.postgres import Server, running

pytestmark = pytest.mark.slow

CHAIN = ("bronze_s00", "silver_s00", "gold_s00")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def hub(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a scheduler with two workers."""
    with cluster("dask", shop(tmp_path_factory.mktemp("engines"), "dask"), server) as found:
        found.start_hub()
        for _ in range(2):
            found.start_worker()
        yield found


@pytest.fixture(scope="module")
def carried_out(hub: Cluster) -> Iterator[Runs]:
    with runs(hub) as found:
        found.wait_for(2)
        yield found


def test_the_sample_and_a_dag_with_a_source_that_fails(hub: Cluster, carried_out: Runs) -> None:
    hub.order(bronze_s03="fail")
    done = carried_out.run()
    ends = done["steps"]
    assert done["status"] == "FAILURE"
    assert {step for step, end in ends.items() if end == "FAILURE"} == {"bronze_s03"}
    layers = ("bronze", "silver", "gold")
    steps = {f"{layer}_s{number:02}" for layer in layers for number in range(SOURCES)}
    assert {*steps, *SAMPLE} - ends.keys() == {"silver_s03", "gold_s03"}
    assert set(done["tries"].values()) == {1}
    assert {step: done["printed"][step] for step in steps & ends.keys()} == {
        step: f"{step} is computed\n" for step in steps & ends.keys()
    }
    for number in {*range(SOURCES)} - {3}:
        expected = [(number, number + 2 + row) for row in range(3)]
        assert hub.rows("gold", number) == expected


def test_a_step_whose_worker_is_killed_is_begun_again(hub: Cluster, carried_out: Runs) -> None:
    hub.order(silver_s00="kill")
    done = carried_out.run(*CHAIN)
    hub.start_worker()
    assert done["status"] == "SUCCESS", done
    assert done["tries"] == {"bronze_s00": 1, "silver_s00": 2, "gold_s00": 1}
    ((told,),) = done["errors"]["silver_s00"]
    assert "worker" in told
    assert "Traceback" not in told
    carried_out.wait_for(2)


def test_the_ui_shows_what_a_step_prints_and_terminates_its_run(hub: Cluster) -> None:
    hub.order(bronze_s00="300")
    before = hub.files("bronze", 0)
    assert hub.terminated_in_ui("bronze_s00", "silver_s00") == TERMINATED
    assert hub.files("bronze", 0) == before


def test_workers_share_the_partitions_of_a_run(hub: Cluster, carried_out: Runs) -> None:
    hub.order(p2="fail")
    done = carried_out.run("range", "p0", "p4", "run_bronze_days")
    assert done["steps"] == {"run_bronze_days": "FAILURE"}, done
    assert done["tries"] == {"run_bronze_days": 1}
    told = str(done["errors"]["run_bronze_days"])
    assert "1 of 5 partitions failed, the others are done: p2: src/core/bronze_days.py:" in told
    assert "ValueError: ordered to fail" in told
    assert hub.partitions("days") == ["p0", "p1", "p3", "p4"]
    assert done["materialized"] == ["p0", "p1", "p3", "p4"]
