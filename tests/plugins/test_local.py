"""Plugins that are files of a project: trusted once, isolated, in every command and pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from polster_core.testing import MakeProject, ProjectFolder
from polster_core.testing.projects import PYPROJECT

RULES = """
from polster_core.hookspecs import hookimpl
from polster_core.types import Problem, ValidationRule

def owned(pipeline):
    for asset in pipeline.assets:
        if asset.definitions and "Owner:" not in asset.description:
            yield Problem.at(asset.definitions[0].place, f"{asset} has no owner")

@hookimpl
def polster_validation_rules():
    yield ValidationRule(name="owned", summary="Somebody owns it.", check=owned)
"""


def settings(*paths: str) -> str:
    return f"{PYPROJECT}plugins = {json.dumps(list(paths))}\n"


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is trusted here out of the settings of whoever runs the tests."""
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "config"))


@pytest.fixture
def shop(make_project: MakeProject) -> ProjectFolder:
    files = {"pyproject.toml": settings("tools/our_rules.py"), "tools/our_rules.py": RULES}
    return make_project(files, assets={"bronze_a": []})


def test_a_strangers_project_runs_nothing(shop: ProjectFolder, tmp_path: Path) -> None:
    """Until it is trusted, once; every command that would have asked it says so."""
    seen = tmp_path / "seen"
    shop.write({"tools/our_rules.py": f"open({str(seen)!r}, 'a').close()\n{RULES}"})
    ran = shop.polster("validate")
    assert ran.code == 4
    assert "tools/our_rules.py (this project): it is code of this project, which nobody" in ran.err
    for args in (["--help"], ["list-assets"], ["plugins"], ["init", "--help"], ["no-such"]):
        shop.polster(*args)
    assert not seen.exists()
    page = shop.polster("plugins", "show", "tools/our_rules.py").succeeded().out
    assert "read tools/our_rules.py, then  polster plugins trust" in page
    assert "runs  tools/our_rules.py" in shop.polster("plugins", "trust").succeeded().out
    ran = shop.polster("validate")
    assert (ran.code, "bronze_a has no owner" in ran.out) == (1, True)
    assert seen.exists()
    assert not list(shop.root.rglob("__pycache__"))
    shop.polster("plugins", "trust", "--revoke").succeeded()
    assert shop.polster("validate").code == 4


def test_another_project_in_the_same_place_is_not_trusted(
    shop: ProjectFolder, tmp_path: Path
) -> None:
    shop.polster("plugins", "trust").succeeded()
    shop.root.rename(tmp_path / "gone")
    files = ProjectFolder(tmp_path / "gone").tree()
    token = files.pop(".polster/.trusted")  # git ignores it
    shop.write(files)
    assert shop.polster("validate").code == 4
    (shop.root / ".polster").mkdir(exist_ok=True)
    (shop.root / ".polster/.trusted").write_text("0" * len(token))
    assert shop.polster("validate").code == 4


def test_the_pipeline_of_the_project_trusts_it(shop: ProjectFolder) -> None:
    """`ci/validate.py` sets the variable."""
    ran = shop.polster("validate", "--json", env={"POLSTER_TRUST_PROJECT": "1"})
    assert ran.code == 1
    assert [one["rule"] for one in json.loads(ran.out)["problems"]] == ["owned"]


def test_it_may_add_a_command(shop: ProjectFolder) -> None:
    command = """
        import click
        from polster_core.hookspecs import hookimpl
        from polster_core.types import Command

        @click.command()
        def owners():
            click.echo("nobody")

        @hookimpl
        def polster_commands():
            target = f"{__name__}:owners"
            yield Command(name="owners", summary="List who owns what.", target=target)
        """
    shop.write({"tools/our_rules.py": dedent(command)})
    assert "owners" not in shop.polster("--help").succeeded().out
    shop.polster("plugins", "trust").succeeded()
    assert "owners  List who owns what." in shop.polster("--help").succeeded().out
    assert shop.polster("owners").succeeded().out == "nobody\n"


def test_a_setting_that_is_no_list(shop: ProjectFolder) -> None:
    shop.write({"pyproject.toml": f'{PYPROJECT}plugins = "tools/our_rules.py"\n'})
    ran = shop.polster("validate")
    assert ran.code == 1
    assert "plugins in [tool.polster] is no list of files" in ran.err
