"""GitHub Actions: each workflow that an event starts, run for real."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cicd.conftest import ALL_DATA, SECRET, MakeOrigin
from tests.cicd.github import TOKEN, Event, run
from tests.cicd.outcome import committed, nothing_leaked
from tests.cicd.steps import git
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
        "checks": "success",
        "materialize": "success",
        "persist": "success",
        "notice": "skipped",
    }, done.told()
    data, message = committed(origin)
    assert sorted(data) == ALL_DATA
    assert message == "data: push run 7 [skip ci]"
    assert git("log", "--format=%s", "main", cwd=origin) == "start", "main stays clean"
    again = run(origin, tmp_path / "again", Event("schedule", machine=machine_env))
    assert "data: restored 3 file(s) from 'data'" in again.told()
    assert committed(origin)[0] == dict.fromkeys(ALL_DATA, 2)
    (summary,) = done.summaries
    assert "| bronze_orders | succeeded | 3 |" in summary
    assert "  run_bronze_orders --> run_silver_orders\n" in summary
    assert "<svg" in done.artifact("lineage.svg")
    nothing_leaked(done, origin, SECRET, TOKEN)


def test_pull_request_checks_only_and_gets_no_secret(
    tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    origin = shop(branch="feature/more orders".replace(" ", "-"))
    event = Event("pull_request", "feature/more-orders", machine=machine_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results == {"checks": "success"}, done.told()
    assert committed(origin) == ({}, "")


def test_a_failing_test_stops_a_push(
    tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    origin = shop({"tests/test_fails.py": "def test_fails() -> None:\n    raise ValueError\n"})
    done = run(origin, tmp_path / "run", Event(machine=machine_env))
    assert done.results == {
        "checks": "failure",
        "materialize": "skipped",
        "persist": "skipped",
        "notice": "skipped",
    }, done.told()
    assert "test_fails.py" in done.told()
    assert committed(origin) == ({}, "")


def test_c2_a_failed_schedule_reports_and_keeps_what_does_not_depend_on_it(
    tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    origin = shop()
    event = Event(
        "schedule",
        variables={"ORDERS": "down"},
        secrets={"API_TOKEN": SECRET},
        machine=machine_env,
    )
    done = run(origin, tmp_path / "run", event)
    assert done.results == {
        "checks": "skipped",
        "materialize": "failure",
        "persist": "success",
        "notice": "success",
    }, done.told()
    assert committed(origin)[0] == {"bronze/clicks": 1}
    (summary,) = done.summaries
    assert "| bronze_orders | failed |" in summary
    assert "refused ***" in summary
    assert "| silver_orders | skipped |" in summary
    assert "bronze_orders" in done.artifact("junit.xml")
    assert "gh issue create --title Scheduled Polster run failed" in (
        tmp_path / "run" / "gh"
    ).read_text(encoding="utf-8")
    nothing_leaked(done, origin, SECRET, TOKEN)


def test_by_hand_on_a_branch_with_a_slash(
    tmp_path: Path, shop: MakeOrigin, machine_env: Machine
) -> None:
    origin = shop(branch="feature/orders")
    chosen = {"environment": "staging", "select": "bronze_orders"}
    event = Event("workflow_dispatch", "feature/orders", chosen, machine=machine_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results["persist"] == "success", done.told()
    assert committed(origin, "data-staging")[0] == {"bronze/orders": 1}
    assert committed(origin) == ({}, "")
    assert "Polster (staging)" in done.summaries[0]


def test_parallel_jobs_become_one_commit(
    tmp_path: Path, shop: MakeOrigin, shop_template: Path, machine_env: Machine
) -> None:
    """As the guide says: list the selections."""
    workflow = git("show", "main:.github/workflows/polster.yml", cwd=shop_template)
    one, two = "[\"${{ inputs.select || '*' }}\"]", '["bronze_orders", "+silver_orders"]'
    assert one in workflow
    origin = shop({".github/workflows/polster.yml": workflow.replace(one, two)})
    done = run(origin, tmp_path / "run", Event("schedule", machine=machine_env))
    assert done.results["persist"] == "success", done.told()
    data, message = committed(origin)
    assert data == {"bronze/orders": 2, "silver/orders": 1}
    assert message == "data: schedule run 7 [skip ci]"
    assert git("rev-list", "--count", "data", cwd=origin) == "1"


def test_cloud_storage_commits_nothing(
    tmp_path: Path, lake: MakeOrigin, machine_env: Machine, azurite: Azurite
) -> None:
    container = azurite.create("github")
    variables = {"ADLS_CONTAINER": container, "ADLS_ENDPOINT": azurite.endpoint}
    event = Event("schedule", variables=variables, machine=machine_env)
    event.secrets = {"ADLS_ACCOUNT_KEY": KEY, "API_TOKEN": SECRET}
    origin = lake()
    done = run(origin, tmp_path / "run", event)
    assert done.results["materialize"] == "success", done.told()
    assert "persist" not in done.results
    assert "silver/orders" in done.artifact("run.json")
    assert committed(origin) == ({}, "")
    nothing_leaked(done, origin, SECRET, KEY)


def test_missing_cloud_credentials_are_an_error(
    tmp_path: Path, lake: MakeOrigin, machine_env: Machine, azurite: Azurite
) -> None:
    """The storage of the project is Azure: without the way there, nothing is written anywhere."""
    variables = {"ADLS_CONTAINER": azurite.create("closed"), "ADLS_ENDPOINT": azurite.endpoint}
    origin = lake()
    event = Event("schedule", variables=variables, machine=machine_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results["materialize"] == "failure", done.told()
    assert "stopped, exit code 2" in done.summaries[0]
    assert not list((tmp_path / "run").rglob("materialize-0/work/data/*/orders"))
    assert committed(origin) == ({}, "")
