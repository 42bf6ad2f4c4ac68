"""Azure Pipelines: the pipeline run for real, for each reason to run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cicd.azure import TOKEN, Event, run
from tests.cicd.conftest import ALL_DATA, SECRET, MakeOrigin
from tests.cicd.outcome import committed, nothing_leaked
from tests.storage.azurite import KEY, Azurite

pytestmark = pytest.mark.slow
Machine = Mapping[str, str]


def test_push_checks_then_materializes_then_commits(
    tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    origin = shop()
    event = Event(secrets={"API_TOKEN": SECRET}, machine=machine_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results == {
        "checks": "Succeeded",
        "materialize": "Succeeded",
        "persist": "Succeeded",
    }, done.told()
    data, message = committed(origin)
    assert sorted(data) == ALL_DATA
    assert message == "data: IndividualCI run 20261120.1 [skip ci]"
    assert "| silver_orders | succeeded | 3 |" in done.summaries[0]
    assert "test_project" in done.artifact("tests.xml")
    assert "<svg" in done.artifact("lineage.svg")
    nothing_leaked(done, origin, SECRET, TOKEN)


@pytest.mark.parametrize(
    ("reason", "branch"), [("PullRequest", "feature/orders"), ("IndividualCI", "main")]
)
def test_failed_checks_stop_everything(
    reason: str, branch: str, tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    origin = shop({"src/core/unused.py": "import os\n"}, branch=branch)
    done = run(origin, tmp_path / "run", Event(reason, branch, machine=machine_env))
    skipped = {"materialize": "Skipped", "persist": "Skipped"}
    assert done.results == {"checks": "Failed", **skipped}, done.told()
    assert "F401" in done.told()
    assert committed(origin) == ({}, "")


def test_c2_a_failed_schedule_tells_why_and_keeps_what_does_not_depend_on_it(
    tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    """The secret that nobody defined arrives as $(API_TOKEN), which is no token."""
    origin = shop()
    event = Event("Schedule", variables={"ORDERS": "down"}, machine=machine_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results == {
        "checks": "Skipped",
        "materialize": "Failed",
        "persist": "Succeeded",
    }, done.told()
    assert "refused none" in done.summaries[0]
    assert "$(API_TOKEN)" not in done.told()
    assert "##vso[task.logissue type=error]" in done.told()
    assert 'failures="1"' in done.artifact("junit.xml")
    assert committed(origin)[0] == {"bronze/clicks": 1}


def test_by_hand_on_a_branch_with_a_slash(
    tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    origin = shop(branch="feature/orders")
    chosen = {"environment": "staging", "select": "bronze_orders"}
    event = Event("Manual", "feature/orders", chosen, machine=machine_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results["persist"] == "Succeeded", done.told()
    assert committed(origin, "data-staging")[0] == {"bronze/orders": 1}
    assert committed(origin) == ({}, "")
    assert "Polster (staging)" in done.summaries[0]


def test_cloud_storage_commits_nothing(
    tmp_path: Path, lake: MakeOrigin, machine_env: Machine, azurite: Azurite
) -> None:
    variables = {
        "ADLS_CONTAINER": azurite.create("azure"),
        "ADLS_ENDPOINT": azurite.endpoint,
    }
    event = Event("Schedule", variables=variables, machine=machine_env)
    event.secrets = {"ADLS_ACCOUNT_KEY": KEY, "API_TOKEN": SECRET}
    origin = lake()
    done = run(origin, tmp_path / "run", event)
    assert done.results == {"checks": "Skipped", "materialize": "Succeeded"}, done.told()
    assert "silver/orders" in done.artifact("run.json")
    assert committed(origin) == ({}, "")
    nothing_leaked(done, origin, SECRET, KEY)
