"""Which assets `--failed` runs: by Dagster's history, whoever has run them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg
import pytest

from polster_runtime.dagster.failed import failed_last_time
from polster_runtime.domain.selection import UnknownAsset


@dataclass
class History:
    """What has run of two chains, `run_bronze_a` to silver to gold and `run_bronze_b`."""

    instance: dg.DagsterInstance
    failing: set[str] = field(default_factory=set)

    def definitions(self) -> dg.Definitions:
        """Return the assets, some of which fail."""

        def asset(name: str, *deps: str) -> dg.AssetsDefinition:
            @dg.asset(name=f"run_{name}", deps=[f"run_{dep}" for dep in deps])
            def step() -> None:
                if name in self.failing:
                    raise RuntimeError(name)

            return step

        chain = [asset("bronze_a"), asset("silver_a", "bronze_a"), asset("gold_a", "silver_a")]
        return dg.Definitions([*chain, asset("bronze_b")], jobs=[dg.define_asset_job("all_assets")])

    def run(self, *names: str, failing: str = "") -> None:
        """Run some assets, or all."""
        self.failing = set(failing.split())
        keys = [dg.AssetKey(f"run_{name}") for name in names]
        job = self.definitions().resolve_job_def("all_assets")
        job.execute_in_process(
            instance=self.instance, raise_on_error=False, asset_selection=keys or None
        )

    def failed(self) -> set[str]:
        """Return what --failed would run."""
        graph = self.definitions().resolve_asset_graph()
        keys = failed_last_time(self.instance, graph)
        return {key.to_user_string().removeprefix("run_") for key in keys}


@pytest.fixture
def history() -> Iterator[History]:
    """Return one that is empty."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield History(instance)


CHAIN = {"bronze_a", "silver_a", "gold_a"}


def test_no_run_is_no_answer(history: History) -> None:
    with pytest.raises(UnknownAsset, match="no run is recorded here"):
        history.failed()


def test_what_failed_and_what_waited_for_it(history: History) -> None:
    history.run(failing="bronze_a")
    assert history.failed() == CHAIN
    history.run("bronze_b")
    assert history.failed() == CHAIN, "a run of others changes nothing"
    history.run("bronze_a", "silver_a")
    assert history.failed() == {"gold_a"}
    history.run("gold_a")
    assert history.failed() == set()


def test_one_that_succeeded_before(history: History) -> None:
    history.run()
    assert history.failed() == set()
    history.run(failing="silver_a")
    assert history.failed() == {"silver_a", "gold_a"}


def test_what_was_made_without_a_run_since(history: History) -> None:
    history.run(failing="silver_a")
    history.instance.report_runless_asset_event(dg.AssetMaterialization("run_silver_a"))
    assert history.failed() == {"gold_a"}


def test_a_run_that_goes_on_has_not_failed(history: History) -> None:
    history.run()
    job = history.definitions().resolve_job_def("all_assets")
    run = history.instance.create_run_for_job(job)
    assert history.failed() == set()
    history.instance.report_run_failed(run, "its machine is gone")
    assert history.failed() == {*CHAIN, "bronze_b"}
