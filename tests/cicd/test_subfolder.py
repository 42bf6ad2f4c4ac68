"""Two projects in one repository: pipelines are where platforms look, and keep to themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from polster_core.project import manifest
from tests import machine
from tests.cicd import azure, github, gitlab
from tests.cicd.conftest import PROTECTED
from tests.cicd.steps import git
from tests.cicd.test_events import machine_with_stub as machine_with_stub  # noqa: PLC0414

pytestmark = pytest.mark.slow
SHOP, LAKE = "services/shop", "lake"
PLAIN = ("--no-setup", "--no-git", "--no-sample-assets")
OTHER = "stages: [build, test]\n\nbuild:\n  stage: build\n  script: ['true']\n"


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with a pipeline of its own at GitLab, and two projects in folders."""
    top = tmp_path_factory.mktemp("mono")
    git("init", "-q", "-b", "main", cwd=top)
    (top / ".gitlab-ci.yml").write_text(OTHER, encoding="utf-8")
    (top / "services").mkdir()
    every = ("--cicd", "github,azure,gitlab")
    done = machine.polster_here("init", "lake", *PLAIN, *every, cwd=top)
    assert done.returncode == 0, done.stderr
    assert machine.polster_here("init", "shop", *PLAIN, cwd=top / "services").returncode == 0
    done = machine.polster_here("add-cicd", "github,azure,gitlab", cwd=top / SHOP)
    assert done.returncode == 0, done.stderr
    assert "write   ../../.github/workflows/polster-shop.yml  where" in done.stdout
    return top


@pytest.fixture
def origin(mono: Path, tmp_path: Path) -> Path:
    """Return a bare copy whose main is protected."""
    work, bare = tmp_path / "mono", tmp_path / "origin.git"
    shutil.copytree(mono, work)
    git("add", "--all", cwd=work)
    git("commit", "-q", "-m", "start", cwd=work)
    git("clone", "-q", "--bare", work, bare, cwd=work)
    git("config", "receive.advertisePushOptions", "true", cwd=bare)
    hook = bare / "hooks" / "update"
    hook.write_text(PROTECTED, encoding="utf-8")
    hook.chmod(0o755)
    return bare


def kept(origin: Path) -> set[str]:
    """Return the folders that have data on the branch of the data."""
    if not git("for-each-ref", "refs/heads/data", cwd=origin):
        return set()
    names = git("ls-tree", "-r", "--name-only", "data", cwd=origin).splitlines()
    assert all(name.endswith(".parquet") for name in names), names
    return {name.partition("/data/")[0] for name in names}


def test_p3_pipelines_are_at_the_top_and_all_else_is_as_it_was(mono: Path) -> None:
    workflows = {path.name for path in (mono / ".github/workflows").iterdir()}
    assert workflows == {
        *("polster-shop.yml", "polster-shop-checks.yml"),
        *("polster-lake.yml", "polster-lake-checks.yml"),
    }
    text = (mono / ".gitlab-ci.yml").read_text(encoding="utf-8")
    assert text.startswith(OTHER)
    assert [text.count(f"include: {folder}/.gitlab-ci.yml") for folder in (SHOP, LAKE)] == [1, 1]
    assert not (mono / ".polster").exists()
    assert not (mono / SHOP / ".github").exists()
    again = machine.polster_here("add-cicd", "github,azure,gitlab", cwd=mono / LAKE)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "nothing to change")


def test_p3_what_is_missing_or_edited_is_told(mono: Path, tmp_path: Path) -> None:
    top = tmp_path / "mono"
    shutil.copytree(mono, top)
    workflow = top / ".github/workflows/polster-shop.yml"
    workflow.write_text("name: ours\n", encoding="utf-8")
    done = machine.polster_here("add-cicd", "github", cwd=top / SHOP)
    assert (done.returncode, workflow.read_text(encoding="utf-8")) == (1, "name: ours\n")
    assert "polster-shop.yml of the repository is not as Polster would write it" in done.stderr
    done = machine.polster_here("add-cicd", "github", "--force", cwd=top / SHOP)
    assert (done.returncode, "name: Polster shop" in workflow.read_text("utf-8")) == (0, True)
    text = workflow.read_bytes()
    workflow.write_bytes(text.replace(b"timeout-minutes: 60", b"timeout-minutes: 30"))
    known = manifest.load(top / SHOP)
    path = PurePosixPath(workflow.relative_to(top).as_posix())
    noted = {**known.repository, path: manifest.digest(workflow.read_bytes())}
    (top / SHOP / manifest.PATH).write_bytes(
        manifest.file(replace(known, repository=noted)).content
    )
    done = machine.polster_here("upgrade", "--force", cwd=top / SHOP)
    assert "updated  ../../.github/workflows/polster-shop.yml" in done.stdout, done.stderr
    assert workflow.read_bytes() == text, "what nobody has edited follows Polster"
    assert machine.polster_here("upgrade", "--check", cwd=top / SHOP).returncode == 0
    workflow.unlink()
    (top / ".gitlab-ci.yml").write_text(OTHER, encoding="utf-8")
    done = machine.polster_here("validate", cwd=top / SHOP)
    assert "polster-shop.yml is missing at the top of the repository" in done.stdout
    assert "has no job that starts services/shop/.gitlab-ci.yml" in done.stdout
    done = machine.polster_here("doctor", cwd=top / SHOP)
    assert "polster-shop.yml is missing at the top of the repository" in done.stdout
    done = machine.polster_here("upgrade", "--check", "--json", cwd=top / SHOP)
    words = ".github/workflows/polster-shop.yml of the repository is another: polster add-cicd"
    assert words in done.stdout + done.stderr
    (top / SHOP / manifest.PATH).write_text(
        (top / SHOP / manifest.PATH).read_text("utf-8").replace("polster-shop.yml", "../../x.yml"),
        encoding="utf-8",
    )
    done = machine.polster_here("add-cicd", "github", cwd=top / SHOP)
    assert (done.returncode, workflow.exists(), (tmp_path / "x.yml").exists()) == (0, True, False)


def test_p3_github(origin: Path, tmp_path: Path, machine_with_stub: Mapping[str, str]) -> None:
    event = github.Event(machine=machine_with_stub, changed=f"{SHOP}/src/core/x.py")
    assert github.run(origin, tmp_path / "other", event, "polster-lake").results == {}
    done = github.run(origin, tmp_path / "run", event, "polster-shop")
    good = {"checks", "materialize", "persist"}
    assert {name for name, one in done.results.items() if one == "success"} == good, done.told()
    assert kept(origin) == {SHOP}
    event = github.Event("schedule", machine=machine_with_stub)
    done = github.run(origin, tmp_path / "lake", event, "polster-lake")
    assert done.results["persist"] == "success", done.told()
    assert kept(origin) == {SHOP, LAKE}
    assert (done.artifacts / "polster-reports-0" / "junit.xml").exists()


def test_p3_azure(origin: Path, tmp_path: Path, machine_with_stub: Mapping[str, str]) -> None:
    for root in (SHOP, LAKE):
        event = azure.Event("BatchedCI", machine=machine_with_stub)
        done = azure.run(origin, tmp_path / root.replace("/", "-"), event, root)
        assert set(done.results.values()) == {"Succeeded"}, done.told()
        assert (done.artifacts / "polster-1" / "junit.xml").exists()
    assert kept(origin) == {SHOP, LAKE}


@pytest.mark.usefixtures("npm_tools")
def test_p3_gitlab(origin: Path, tmp_path: Path, machine_with_stub: Mapping[str, str]) -> None:
    """A job of the repository's pipeline starts that of each project."""
    path = f"{machine_with_stub['PATH']}{os.pathsep}{os.environ['PATH']}"
    event = gitlab.Event("schedule", machine={"PATH": path})
    done = gitlab.run(origin, tmp_path / "run", event)
    assert kept(origin) == {SHOP, LAKE}, done.told()
    assert done.results["build"] == "PASS"


def test_p3_a_folder_that_no_pipeline_can_name_is_refused(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a b").mkdir()
    assert machine.polster_here("init", "shop", *PLAIN, cwd=tmp_path / "a b").returncode == 0
    done = machine.polster_here("add-cicd", "github", cwd=tmp_path / "a b" / "shop")
    assert done.returncode == 1
    assert "the project is in 'a b/shop', which pipelines cannot name" in done.stderr
