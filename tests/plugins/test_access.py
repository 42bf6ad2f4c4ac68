"""What commands of plugins may do with a project, and how often plugins are asked for them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from polster_core.cli import command_cache
from polster_core.testing import InstallPlugin, MakeProject, ProjectFolder, Ran, RunPolster

PLUGIN = """
    from polster_core.hookspecs import hookimpl
    from polster_core.types import Command

    with open({seen!r}, "a") as file:
        file.write("asked ")

    @hookimpl
    def polster_commands():
        yield Command(name="owners", summary={summary!r}, target="owners_cli:owners")
"""
CLI = """
    from pathlib import PurePosixPath

    import click

    from polster_core.cli.access import this_project
    from polster_core.types import NewFile

    @click.command()
    @click.option("--dry-run", is_flag=True)
    @click.argument("path")
    def owners(dry_run, path):
        project = this_project()

        def files():
            names = "".join(f"{asset}\\n" for asset in project.pipeline().assets)
            yield NewFile(path=PurePosixPath(path), text=names)
            if project.settings.get("twice"):
                yield NewFile(path=PurePosixPath("blocked/x"), text="")

        project.change(files(), dry_run=dry_run)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache/commands.json"
    monkeypatch.setattr(command_cache, "_path", lambda: str(path))
    return path


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    return tmp_path / "seen"


@pytest.fixture
def shop(install_plugin: InstallPlugin, make_project: MakeProject, seen: Path) -> ProjectFolder:
    install(install_plugin, seen, "List who owns what.")
    return make_project(assets={"bronze_a": []})


def install(install_plugin: InstallPlugin, seen: Path, summary: str) -> None:
    files: Mapping[str, str] = {
        "polster_plugin_owners.py": dedent(PLUGIN.format(seen=str(seen), summary=summary)),
        "owners_cli.py": dedent(CLI),
    }
    points = {"command-owners": "polster_plugin_owners"}
    install_plugin("polster-plugin-owners", files, entry_points=points)


def test_a_command_shows_its_plan_and_carries_it_out(shop: ProjectFolder) -> None:
    before = shop.tree()
    ran = shop.polster("owners", "OWNERS", "--dry-run").succeeded()
    assert "+bronze_a" in ran.out
    assert shop.tree() == before
    assert "create  OWNERS" in shop.polster("owners", "OWNERS").succeeded().out
    assert shop.read("OWNERS") == "bronze_a\n"


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        (".git/hooks/pre-commit", 4, ".git/hooks/pre-commit is not a plugin's to write"),
        (".polster/manifest.json", 4, ".polster/manifest.json is not a plugin's to write"),
        ("../x", 1, "../x is outside the project"),
        ("src/x.py", 1, "src/x.py could not be read any more"),
    ],
)
def test_what_a_command_may_not_write(path: str, code: int, said: str, shop: ProjectFolder) -> None:
    shop.write({"src/core/bronze_a.py": shop.read("src/core/bronze_a.py")})
    before = shop.tree()
    if path.endswith(".py"):
        shop.write({"src/x.py": "x = 1\n", "src/core/bronze_a.py": "def (\n"})
        before = shop.tree()
        cli = Path(shop.root.parent / "site/polster-plugin-owners/owners_cli.py")
        cli.write_text(cli.read_text().replace("text=names", "text='def ('"))
    ran = shop.polster("owners", path)
    assert (ran.code, shop.tree()) == (code, before)
    assert said in ran.err


def test_half_a_change_is_undone(shop: ProjectFolder) -> None:
    """What cannot be written keeps the rest from being written, too."""
    project = shop.read("pyproject.toml").replace("[tool.polster]", "[tool.polster]\ntwice = true")
    shop.write({"pyproject.toml": project, "blocked": ""})
    before = shop.tree()
    ran = shop.polster("owners", "OWNERS")
    assert (ran.code, shop.tree()) == (1, before)
    assert "blocked is a file, and a folder of that name is wanted" in ran.err


def test_plugins_are_asked_for_commands_once(
    shop: ProjectFolder, seen: Path, install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    """Until one of them changes; a cache that cannot be read is none."""

    def helped() -> Ran:
        return run_polster("--help", cwd=shop.root).succeeded()

    first = helped().out
    asked = seen.read_text()
    assert helped().out == first
    assert seen.read_text() == asked
    time.sleep(0.01)  # so that the file is of another time
    install(install_plugin, seen, "Say who owns what.")
    assert "owners  Say who owns what." in helped().out
    assert seen.read_text() != asked
    Path(command_cache._path()).write_text("{")
    assert "owners  Say who owns what." in helped().out
    off = {"POLSTER_DISABLE_PLUGINS": "command-owners"}
    assert "owners" not in run_polster("--help", env=off).succeeded().out
