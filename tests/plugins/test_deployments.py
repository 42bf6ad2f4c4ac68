"""What a stranger's plugin offers to run a project in production, and what happens if it fails."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from polster_core.testing import InstallPlugin, MakeProject, ProjectFolder, polster

PLUGIN = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import Deployment, EnvVar, NewFile, Option

def job(context):
    {body}

@hookimpl
def polster_deployments():
    yield Deployment(
        name="nomad",
        summary="Nomad",
        options=(
            Option(name="region", help="Where it runs.", required=True),
            Option(name="token", help="Its token.", secret=True, env="NOMAD_TOKEN"),
        ),
        env=(EnvVar(name="NOMAD_TOKEN", help="The token of Nomad.", secret=True),),
        files=job,
    )
"""
JOB = """
    region = context.answers["nomad-region"]
    text = f"job {context.name} of {context.answers['deploy']} in {region}\\n"
    yield NewFile(path=PurePosixPath("deploy/job.nomad"), text=text)
"""
LEAK = """
    yield NewFile(path=PurePosixPath("deploy/job.nomad"), text=context.answers["nomad-token"])
"""


@pytest.fixture
def shop(make_project: MakeProject) -> ProjectFolder:
    return make_project(assets={"bronze_a": []})


def install(plugin: InstallPlugin, body: str) -> None:
    plugin("polster-plugin-nomad", PLUGIN.format(body=dedent(body).strip().replace("\n", "\n    ")))


def test_its_options_and_secrets(install_plugin: InstallPlugin, tmp_path: Path) -> None:
    """It is told its answers, a secret goes into .env alone, and the answers are kept."""
    install(install_plugin, JOB)
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    shop = ProjectFolder(tmp_path / "shop")
    typed = ("--nomad-region", "eu", "--nomad-token", "s3cret")
    shop.polster("add-deploy", "nomad", *typed).succeeded()
    assert (shop.root / "deploy/job.nomad").read_text("utf-8") == "job shop of nomad in eu\n"
    assert "NOMAD_TOKEN=s3cret" in (shop.root / ".env").read_text("utf-8")
    known = (shop.root / ".polster/manifest.json").read_text("utf-8")
    assert "s3cret" not in known
    assert '"nomad-region": "eu"' in known
    again = shop.polster("add-deploy", "nomad")
    assert (again.code, again.err) == (0, "")


def test_what_is_missing_or_of_another(install_plugin: InstallPlugin, shop: ProjectFolder) -> None:
    install(install_plugin, JOB)
    missing = shop.polster("add-deploy", "nomad")
    assert missing.code == 2
    assert "missing option `--nomad-region`" in missing.err
    other = shop.polster("add-deploy", "docker", "--nomad-region", "eu")
    assert other.code == 2
    assert "--nomad-region belongs to nomad" in other.err


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise OSError('no cluster')", "nomad failed: OSError: no cluster"),
        ("return 5", "nomad failed: returned 5, not an iterable of NewFile"),
        (LEAK, "deploy/job.nomad would hold the secret --nomad-token, and only .env may"),
    ],
)
def test_one_that_fails(
    body: str, said: str, install_plugin: InstallPlugin, shop: ProjectFolder
) -> None:
    """Exit code 4, one sentence, and nothing is written."""
    install(install_plugin, body)
    typed = ("--nomad-region", "eu", "--nomad-token", "s3cret-of-nomad")
    ran = shop.polster("add-deploy", "nomad", *typed)
    assert ran.code == 4
    assert said in ran.err
    assert not (shop.root / "deploy").exists()
    assert "s3cret-of-nomad" not in ran.err
