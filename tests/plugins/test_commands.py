"""Commands that plugins add: listed apart, imported when they run, never a conflict."""

from __future__ import annotations

import sys
import zipfile
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from polster_core.plugins import discovery
from polster_core.testing import InstallPlugin, RunPolster

HOOKS = """
from polster_core.hookspecs import hookimpl
from polster_core.types import Command

@hookimpl
def polster_commands():
    yield Command(name="{name}", summary="Go there.", target="{target}")
"""
CLICK = """
import click
from polster_core.errors import PolsterError

@click.command("anything", help="Go there, at once.")
@click.argument("where")
@click.option("--fail", is_flag=True)
@click.option("--refuse", is_flag=True)
def go(where, fail, refuse):
    if fail:
        raise ZeroDivisionError("too far")
    if refuse:
        raise PolsterError("there is no way", hint="stay")
    click.echo(f"gone to {where}")

nothing = 5
"""
TARGET = "polster_plugin_go.cli:go"


def installed(install: InstallPlugin, *, name: str = "teleport", target: str = TARGET) -> None:
    install(
        "polster-plugin-go",
        {
            "polster_plugin_go/__init__.py": HOOKS.format(name=name, target=target),
            "polster_plugin_go/cli.py": CLICK,
        },
        entry_points={"command-go": "polster_plugin_go"},
    )


def test_a_section_of_its_own_in_the_help(
    install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    before = run_polster("--help").out
    installed(install_plugin)
    ran = run_polster("--help")
    assert ran.out == f"{before}\nCommands of plugins:\n  teleport  Go there.\n"
    assert ran.err == ""
    assert "polster_plugin_go" in sys.modules
    assert "polster_plugin_go.cli" not in sys.modules
    assert run_polster("--help", env={"POLSTER_DISABLE_PLUGINS": "command-go"}).out == before


def test_it_runs(install_plugin: InstallPlugin, run_polster: RunPolster) -> None:
    installed(install_plugin)
    ran = run_polster("teleport", "home")
    assert (ran.code, ran.out, ran.err) == (0, "gone to home\n", "")
    assert run_polster("teleport", "--help").out.startswith("Usage: polster teleport [OPTIONS] WH")
    assert run_polster("--debug", "teleport", "home").out == "gone to home\n"
    assert run_polster("plugins").out.count("command teleport") == 1


@pytest.mark.parametrize(
    ("args", "code", "err"),
    [
        (("teleprot", "x"), 2, "error: there is no command teleprot. Did you mean teleport?\n"),
        (
            ("teleport",),
            2,
            "error: missing argument 'WHERE'\nhint: see  polster teleport --help\n",
        ),
        (("teleport", "x", "--refuse"), 1, "error: there is no way\nhint: stay\n"),
        (
            ("teleport", "x", "--fail"),
            4,
            "error: command teleport: the plugin command-go (polster-plugin-go 0.1) failed: Zero",
        ),
    ],
)
def test_how_it_ends(
    install_plugin: InstallPlugin,
    run_polster: RunPolster,
    args: tuple[str, ...],
    code: int,
    err: str,
) -> None:
    installed(install_plugin)
    ran = run_polster(*args)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(err)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("polster_plugin_go.cli:gone", "AttributeError: module 'polster_plugin_go.cli' has no"),
        ("polster_plugin_go.tui:go", "ModuleNotFoundError: No module named 'polster_plugin_go.tu"),
        ("polster_plugin_go.cli:nothing", "is no click command"),
    ],
)
def test_a_target_that_is_none(
    install_plugin: InstallPlugin, run_polster: RunPolster, target: str, said: str
) -> None:
    """The help lists it all the same; asked for, it is an error of the plugin."""
    installed(install_plugin, target=target)
    assert "teleport  Go there." in run_polster("--help").succeeded().out
    ran = run_polster("teleport", "x")
    assert (ran.code, ran.out) == (4, "")
    assert "polster-plugin-go 0.1" in ran.err
    assert said in ran.err


def test_a_built_in_is_never_shadowed(
    install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    installed(install_plugin, name="plugins")
    assert "Commands of plugins" not in run_polster("--help").out
    ran = run_polster("plugins", "show", "command-go")
    assert ran.code == 0
    assert "command plugins is one of Polster's own" in ran.out


def test_who_adds_commands_says_so_by_its_name(
    install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    """`polster --help` imports plugins of such names only."""
    install_plugin("polster-plugin-go", HOOKS.format(name="teleport", target=TARGET))
    page = run_polster("plugins", "show", "polster-plugin-go").succeeded().out
    assert "its entry point is called polster-plugin-go, not command-polster-plugin-go" in page


def test_a_broken_one_leaves_the_help_alone(
    install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    before = run_polster("--help").out
    install_plugin("polster-plugin-bad", "import sys; sys.exit(3)", entry_points={"command-x": "x"})
    ran = run_polster("--help")
    assert (ran.code, ran.out, ran.err) == (0, before, "")


def laid_out(folder: Path, kind: str, entry: str, group: str = "polster") -> None:
    info = folder / f"some_plugin-1.0.{kind}"
    info.mkdir(parents=True)
    (info / ("METADATA" if kind == "dist-info" else "PKG-INFO")).write_text(
        "Metadata-Version: 2.1\nName: some-plugin\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        f"[console_scripts]\ncommand-y = y:main\n\n[{group}]\n{entry} = x\n\n[other]\na = b\n"
        if group == "polster"
        else f"[{group}]\n{entry} = x\n"
    )


@pytest.mark.parametrize("kind", ["dist-info", "egg-info"])
@pytest.mark.parametrize(
    ("entry", "group", "offered"),
    [
        ("command-x", "polster", True),
        ("storage-x", "polster", False),
        ("command-x", "polster_x", False),
    ],
)
def test_the_quick_look_sees_what_importlib_sees(
    tmp_path: Path, kind: str, entry: str, group: str, *, offered: bool
) -> None:
    laid_out(tmp_path, kind, entry, group)
    found = [
        point.name
        for distribution in Distribution.discover(path=[str(tmp_path)])
        for point in distribution.entry_points.select(group="polster")
    ]
    assert any(name.startswith("command-") for name in found) is offered
    quick = discovery.quickly("command-", [str(tmp_path)])
    assert quick is not None
    assert [(one.name, one.value, one.dist.name, one.dist.version) for one in quick] == [
        ("command-x", "x", "some-plugin", "1.0") for _ in range(offered)
    ]


def test_the_quick_look_leaves_what_it_cannot_see_to_importlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zipped site-packages, and finders of others."""
    archive = tmp_path / "site.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("x.py", "")
    assert discovery.quickly("command-", [str(archive)]) is None
    assert discovery.quickly("command-", [str(tmp_path), str(tmp_path / "nowhere")]) == []

    class Finder:
        @staticmethod
        def find_spec(*_: object) -> ModuleSpec | None:
            return None

        @staticmethod
        def find_distributions(*_: object) -> list[Distribution]:
            return []

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert discovery.quickly("command-", [str(tmp_path)]) is None
