"""GitLab CI: the pipeline run by gitlab-ci-local, for each source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cicd.conftest import ALL_DATA, SECRET, MakeOrigin
from tests.cicd.gitlab import TOKEN, Event, run
from tests.cicd.outcome import committed, nothing_leaked
from tests.storage.azurite import KEY, Azurite

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("npm_tools")]
Machine = Mapping[str, str]


@pytest.fixture(scope="session")
def runner_env(machine_env: Machine, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return the variables of a machine with a cache of its own: the pipeline prunes it."""
    return {**machine_env, "UV_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}


def test_push_checks_then_materializes_then_commits(
    tmp_path: Path, shop: MakeOrigin, runner_env: Machine
) -> None:
    origin = shop()
    done = run(origin, tmp_path / "run", Event(variables={"API_TOKEN": SECRET}, machine=runner_env))
    assert done.results == {"checks": "PASS", "materialize": "PASS", "persist": "PASS"}, done.told()
    data, message = committed(origin)
    assert sorted(data) == ALL_DATA
    assert message.startswith("data: push run ")
    assert "| silver_orders | succeeded | 3 |" in done.told()
    assert "test_project" in done.artifact("tests.xml")
    assert "<svg" in done.artifact("lineage.svg")
    nothing_leaked(done, origin, SECRET, TOKEN)


@pytest.mark.parametrize(
    ("source", "branch"), [("merge_request_event", "feature/orders"), ("push", "main")]
)
def test_failed_checks_stop_everything(
    source: str, branch: str, tmp_path: Path, shop: MakeOrigin, runner_env: Machine
) -> None:
    origin = shop({"src/core/unused.py": "import os\n"}, branch=branch)
    done = run(origin, tmp_path / "run", Event(source, branch, machine=runner_env))
    assert done.results == {"checks": "FAIL"}, done.told()
    assert "F401" in done.told()
    assert committed(origin) == ({}, "")


def test_c2_a_failed_schedule_tells_why_and_keeps_what_does_not_depend_on_it(
    tmp_path: Path, shop: MakeOrigin, runner_env: Machine
) -> None:
    origin = shop()
    variables = {"API_TOKEN": SECRET, "ORDERS": "down"}
    event = Event("schedule", variables=variables, machine=runner_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results == {"materialize": "FAIL", "persist": "PASS"}, done.told()
    assert "refused ***" in done.artifact("summary.md")
    assert 'failures="1"' in done.artifact("junit.xml")
    assert committed(origin)[0] == {"bronze/clicks": 1}
    nothing_leaked(done, origin, SECRET, TOKEN)


def test_by_hand_on_a_branch_with_a_slash(
    tmp_path: Path, shop: MakeOrigin, runner_env: Machine
) -> None:
    origin = shop(branch="feature/orders")
    chosen = {"ENV": "staging", "SELECT": "bronze_orders"}
    event = Event("web", "feature/orders", chosen, machine=runner_env)
    done = run(origin, tmp_path / "run", event)
    assert done.results == {"materialize": "PASS", "persist": "PASS"}, done.told()
    assert committed(origin, "data-staging")[0] == {"bronze/orders": 1}
    assert committed(origin) == ({}, "")
    assert "Polster (staging)" in done.artifact("summary.md")


def test_cloud_storage_commits_nothing(
    tmp_path: Path, lake: MakeOrigin, runner_env: Machine, azurite: Azurite
) -> None:
    variables = {
        "ADLS_ACCOUNT_KEY": KEY,
        "ADLS_CONTAINER": azurite.create("gitlab"),
        "ADLS_ENDPOINT": azurite.endpoint,
        "API_TOKEN": SECRET,
    }
    origin = lake()
    done = run(origin, tmp_path / "run", Event("schedule", variables=variables, machine=runner_env))
    assert done.results == {"materialize": "PASS"}, done.told()
    assert "silver/orders" in done.artifact("run.json")
    assert committed(origin) == ({}, "")
    nothing_leaked(done, origin, SECRET, KEY)
