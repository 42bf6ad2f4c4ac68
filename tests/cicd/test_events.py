"""Which event starts what, on which branch: every combination, with a stand-in for uv.

What the steps really do is for the tests of each platform; here uv only writes a snapshot.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import machine
from tests.cicd import azure, github, gitlab, tools
from tests.cicd.conftest import MakeOrigin
from tests.cicd.outcome import committed
from tests.cicd.steps import git, machine_variables

pytestmark = pytest.mark.slow
UV = """
mkdir -p reports && touch reports/junit.xml
case "$*" in
*ci/run.py*) mkdir -p data/bronze/orders && touch "data/bronze/orders/$$.parquet" ;;
esac
"""
CHECKED, RAN, BOTH = {"checks"}, {"materialize", "persist"}, {"checks", "materialize", "persist"}
FEATURE = "feature/more-orders"


@pytest.fixture
def machine_with_stub(tmp_path: Path) -> Mapping[str, str]:
    """Return a PATH on which uv is a stand-in."""
    machine.stand_in(tmp_path / "stub", "uv", UV)
    return {"PATH": f"{tmp_path / 'stub'}{os.pathsep}{machine_variables()['PATH']}"}


@pytest.mark.parametrize(
    ("event", "branch", "expected"),
    [
        ("push", "main", BOTH),
        ("push", "master", BOTH),
        ("push", FEATURE, CHECKED),
        ("pull_request", FEATURE, CHECKED),
        ("schedule", "main", RAN),
        ("workflow_dispatch", FEATURE, RAN),
        ("issues", "main", set()),
    ],
)
def test_github(
    event: str,
    branch: str,
    expected: set[str],
    tmp_path: Path,
    shop: MakeOrigin,
    machine_with_stub: Mapping[str, str],
) -> None:
    origin = shop(branch=branch)
    done = github.run(
        origin, tmp_path / "run", github.Event(event, branch, machine=machine_with_stub)
    )
    assert _done(done.results, "success") == expected, done.told()
    assert bool(committed(origin)[0]) is ("persist" in expected)


@pytest.mark.parametrize(
    ("reason", "branch", "expected"),
    [
        ("IndividualCI", "main", BOTH),
        ("BatchedCI", "master", BOTH),
        ("IndividualCI", FEATURE, CHECKED),
        ("PullRequest", "main", CHECKED),
        ("Schedule", "main", RAN),
        ("Manual", FEATURE, RAN),
    ],
)
def test_azure(
    reason: str,
    branch: str,
    expected: set[str],
    tmp_path: Path,
    shop: MakeOrigin,
    machine_with_stub: Mapping[str, str],
) -> None:
    origin = shop(branch=branch)
    done = azure.run(
        origin, tmp_path / "run", azure.Event(reason, branch, machine=machine_with_stub)
    )
    assert _done(done.results, "Succeeded") == expected, done.told()
    assert bool(committed(origin)[0]) is ("persist" in expected)


def test_c6_prod_runs_from_the_default_branch_only_and_after_the_checks_github(
    tmp_path: Path, shop: MakeOrigin, machine_with_stub: Mapping[str, str]
) -> None:
    origin, prod = shop(branch=FEATURE), {"environment": "prod"}
    for branch, expected in ((FEATURE, {"checks", "persist"}), ("main", BOTH)):
        event = github.Event("workflow_dispatch", branch, prod, machine=machine_with_stub)
        done = github.run(origin, tmp_path / f"run{branch == FEATURE}", event)
        assert _done(done.results, "success") == expected, done.told()
        assert ("prod runs from the default branch only" in done.told()) is (branch == FEATURE)
        assert bool(committed(origin, "data-prod")[0]) is (branch == "main")


def test_c6_prod_runs_from_the_default_branch_only_and_after_the_checks_azure(
    tmp_path: Path, shop: MakeOrigin, machine_with_stub: Mapping[str, str]
) -> None:
    origin, prod = shop(branch=FEATURE), {"environment": "prod"}
    for branch, expected in ((FEATURE, {"checks", "persist"}), ("main", BOTH)):
        event = azure.Event("Manual", branch, prod, machine=machine_with_stub)
        done = azure.run(origin, tmp_path / f"run{branch == FEATURE}", event)
        assert _done(done.results, "Succeeded") == expected, done.told()
        assert ("prod runs from main only" in done.told()) is (branch == FEATURE)
        assert bool(committed(origin, "data-prod")[0]) is (branch == "main")


@pytest.mark.usefixtures("npm_tools")
def test_c6_prod_runs_from_the_default_branch_only_and_after_the_checks_gitlab(
    tmp_path: Path, shop: MakeOrigin, machine_with_stub: Mapping[str, str]
) -> None:
    origin, prod = shop(branch=FEATURE), {"ENV": "prod"}
    path = f"{machine_with_stub['PATH']}{os.pathsep}{os.environ['PATH']}"
    for branch, expected in ((FEATURE, {"checks", "persist"}), ("main", BOTH)):
        event = gitlab.Event("web", branch, prod, machine={"PATH": path})
        done = gitlab.run(origin, tmp_path / f"run{branch == FEATURE}", event)
        assert _done(done.results, "PASS") == expected, done.told()
        assert ("prod runs from main only" in done.told()) is (branch == FEATURE)
        assert bool(committed(origin, "data-prod")[0]) is (branch == "main")


def test_azure_signs_in_with_a_service_connection(
    tmp_path: Path, lake: MakeOrigin, machine_with_stub: Mapping[str, str]
) -> None:
    """The step is another one then, with the same secrets."""
    event = azure.Event("Schedule", parameters={"serviceConnection": "lake"})
    event.machine = machine_with_stub
    done = azure.run(lake(), tmp_path / "run", event)
    assert done.results == {"checks": "Skipped", "materialize": "Succeeded"}, done.told()
    assert list((tmp_path / "run/materialize-materialize/s/data/bronze/orders").iterdir())


@pytest.mark.usefixtures("npm_tools")
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}, BOTH),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "master"}, BOTH),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": FEATURE}, CHECKED),
        ({"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_BRANCH": ""}, CHECKED),
        ({"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main"}, RAN),
        ({"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": FEATURE}, RAN),
        ({"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "main", "ENV": "prod"}, BOTH),
        (
            {"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "main", "STORAGE_BACKEND": "adls"},
            {"materialize"},
        ),
    ],
)
def test_gitlab(
    variables: Mapping[str, str], expected: set[str], tmp_path: Path, shop: MakeOrigin
) -> None:
    origin, folder = shop(), tmp_path / "work"
    git("clone", "-q", origin.as_uri(), folder, cwd=origin)
    git("remote", "set-url", "origin", "https://gitlab.example/acme/shop.git", cwd=folder)
    given = [part for name, text in variables.items() for part in ("--variable", f"{name}={text}")]
    listed = subprocess.run(
        tools.gitlab("--list-csv", *given),
        check=True,
        cwd=folder,
        env=machine_variables(HOME=str(tmp_path)),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout
    table = listed[listed.index("name;") :]  # before it: a warning that we set what GitLab sets
    assert {line.partition(";")[0] for line in table.splitlines()[1:]} == expected


def _done(results: Mapping[str, str], good: str) -> set[str]:
    return {name for name, result in results.items() if result == good}
