"""`--deploy`: the job that builds the image of a deployment and pushes it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from polster_core.testing import ProjectFolder, polster
from tests import machine
from tests.cicd import azure, github, gitlab
from tests.cicd.steps import Run, git, machine_variables

PASSWORD = "hunter2 $(x) 'y'"  # noqa: S105
PLATFORMS = ("github", "gitlab", "azure")
DOCKER = """
printf '%s|' "$@" >>"$DOCKER_LOG"; echo >>"$DOCKER_LOG"
case $* in
    login*) cat >"$DOCKER_LOG.stdin" ;;
    "buildx use"*) exit 1 ;;
esac
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """Return a project whose pipelines build its image; it is locked."""
    folder = tmp_path_factory.mktemp("image")
    polster(folder, "init", "Shop", "--no-setup", "--no-git", "--no-sample-assets").succeeded()
    made = ProjectFolder(folder / "Shop")
    made.polster("add-deploy", "docker").succeeded()
    made.polster("add-cicd", *PLATFORMS, "--deploy", "docker").succeeded()
    (made.root / "uv.lock").touch()
    return made


def image(
    root: Path, tmp_path: Path, **changed: str
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the script with a stand-in for Docker; return what Docker was told as well."""
    log = tmp_path / "docker"
    log.touch()
    machine.stand_in(tmp_path / "bin", "docker", DOCKER)
    given = {
        "IMAGE": "ghcr.io/Acme/Shop",
        "COMMIT": "c0ffee",
        "REGISTRY_USER": "ann",
        "REGISTRY_PASSWORD": PASSWORD,
    }
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    done = subprocess.run(
        [root / "ci/image.sh"],
        check=False,
        cwd=root,
        env={"PATH": path, "DOCKER_LOG": str(log), **given, **changed},
        capture_output=True,
        encoding="utf-8",
    )
    return done, log.read_text("utf-8")


def test_the_image_of_a_commit_is_pushed(shop: ProjectFolder, tmp_path: Path) -> None:
    """Names of registries are in lower case, and a password is on no command line."""
    done, told = image(shop.root, tmp_path)
    assert done.returncode == 0, done.stderr
    login, _, _, build = told.splitlines()
    assert login == "login|--username|ann|--password-stdin|ghcr.io|"
    assert (tmp_path / "docker.stdin").read_text("utf-8") == PASSWORD
    assert build.endswith("|--tag|ghcr.io/acme/shop:c0ffee|.|")
    assert "|--push|" in build
    assert "|--cache-from|type=registry,ref=ghcr.io/acme/shop:cache|" in build
    assert "hunter2" not in told + done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("IMAGE", ""), ("REGISTRY_PASSWORD", "$(REGISTRY_PASSWORD)"), ("REGISTRY_USER", "")],
)
def test_what_is_not_set_is_named(
    name: str, value: str, shop: ProjectFolder, tmp_path: Path
) -> None:
    """Also where a platform leaves its own words in the place of a variable."""
    done, told = image(shop.root, tmp_path, **{name: value})
    assert (done.returncode, told) == (1, "")
    assert done.stderr == f"error: {name} is not set\n"


def test_an_image_of_docker_hub(shop: ProjectFolder, tmp_path: Path) -> None:
    """It has no registry in its name."""
    assert image(shop.root, tmp_path, IMAGE="acme/shop")[1].splitlines()[0].endswith("|docker.io|")


def _github(text: str) -> str:
    found = yaml.safe_load(text)
    checks = {"runs-on": "ubuntu-24.04", "steps": [{"run": "true"}]}
    found["jobs"] = {"checks": checks, "image": found["jobs"]["image"]}
    return yaml.safe_dump(found)


def _azure(text: str) -> str:
    found = yaml.safe_load(text)
    stages = {stage["stage"]: stage for stage in found["stages"]}
    stages["checks"]["jobs"] = [{"job": "checks", "steps": [{"bash": "true"}]}]
    found["stages"] = [stages["checks"], stages["image"]]
    return yaml.safe_dump(found)


def _gitlab(text: str) -> str:
    found = yaml.safe_load(text)
    for job in ("materialize", "persist"):
        del found[job]
    found["checks"] = {"stage": "check", "script": ["true"]}
    del found["build-image"]["services"]  # gitlab-ci-local would start them
    return yaml.safe_dump(found)


FILES: dict[str, tuple[str, Callable[[str], str]]] = {
    "github": (".github/workflows/polster.yml", _github),
    "azure": ("azure-pipelines.yml", _azure),
    "gitlab": (".gitlab-ci.yml", _gitlab),
}


@pytest.fixture(scope="module")
def origin(shop: ProjectFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bare repository with that project, whose pipelines have no other jobs."""
    folder = tmp_path_factory.mktemp("repository")
    for checks in (shop.root / ".github/workflows").glob("*checks.yml"):
        checks.unlink()
    for path, reduced in FILES.values():
        file = shop.root / path
        file.write_text(reduced(file.read_text("utf-8")), encoding="utf-8")
    git("init", "-q", "-b", "main", cwd=shop.root)
    git("add", "--all", cwd=shop.root)
    git("commit", "-q", "-m", "start", cwd=shop.root)
    git("branch", "other", cwd=shop.root)
    git("clone", "-q", "--bare", shop.root, folder / "origin.git", cwd=folder)
    return folder / "origin.git"


def pushed(origin: Path, tmp_path: Path, branch: str, platform: str) -> tuple[Run, str]:
    """Run a pipeline of a push; return it, and what Docker was told."""
    log = tmp_path / "docker"
    log.touch()
    machine.stand_in(tmp_path / "bin", "docker", DOCKER)
    given = {
        "PATH": f"{tmp_path / 'bin'}:{machine_variables()['PATH']}",
        "DOCKER_LOG": str(log),
    }
    where = {"IMAGE": "acme.io/Shop", "REGISTRY_USER": "ann"}
    secret = {"REGISTRY_PASSWORD": PASSWORD}
    if platform == "github":
        event = github.Event(branch=branch, secrets=secret, machine=given, variables=where)
        done = github.run(origin, tmp_path / "run", event)
    elif platform == "azure":
        on_azure = azure.Event(branch=branch, secrets=secret, machine=given, variables=where)
        done = azure.run(origin, tmp_path / "run", on_azure)
    else:
        on_gitlab = gitlab.Event(branch=branch, machine=given, variables={**where, **secret})
        done = gitlab.run(origin, tmp_path / "run", on_gitlab)
    return done, log.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_push_to_the_default_branch_pushes_the_image(
    platform: str, origin: Path, tmp_path: Path, npm_tools: Path
) -> None:
    """The tag is the commit, and nothing that is kept of the run holds the password."""
    del npm_tools
    done, told = pushed(origin, tmp_path, "main", platform)
    commit = git("rev-parse", "main", cwd=origin)
    assert told, done.told()
    assert told.splitlines()[-1].endswith(f"|--tag|acme.io/shop:{commit}|.|"), done.told()
    assert (tmp_path / "docker.stdin").read_text("utf-8") == PASSWORD
    assert b"hunter2" not in done.everything()


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["github", "azure"])
def test_no_other_push_does(platform: str, origin: Path, tmp_path: Path) -> None:
    """Not to another branch."""
    done, told = pushed(origin, tmp_path, "other", platform)
    assert told == "", done.told()


def test_deployments_that_have_no_image(tmp_path: Path) -> None:
    """What there is not, and what is not there yet, is a sentence each."""
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    root = tmp_path / "shop"
    polster(root, "add-deploy", "systemd").succeeded()
    said = {
        "dokcer": "Did you mean docker",
        "docker": "the project is not deployed with docker yet\nhint: polster add-deploy docker",
        "systemd": "systemd needs no image: there is no Dockerfile",
    }
    for name, words in said.items():
        ran = polster(root, "add-cicd", "github", "--deploy", name)
        assert ran.code != 0
        assert words in ran.err.replace("`", "")
    assert not (root / "ci").exists()
    polster(root, "add-deploy", "docker").succeeded()
    polster(root, "add-cicd", "github", "--deploy", "docker").succeeded()
    workflow = root / ".github/workflows/polster.yml"
    assert "\n  image:\n" in workflow.read_text("utf-8")
    polster(root, "add-cicd", "github").succeeded()
    assert "\n  image:\n" in workflow.read_text("utf-8"), "as it was"
    polster(root, "add-cicd", "github", "--deploy", "none").succeeded()
    assert "\n  image:\n" not in workflow.read_text("utf-8")
