"""Hooks of version 2.0: what a stranger's plugin does with each, and what happens when it fails."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from polster_core.testing import InstallPlugin, MakeProject, ProjectFolder, RunPolster
from tests.plugins.test_faults import INIT

HEAD = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetColumn, CheckResult, DoctorCheck, GitignoreLine, GuideSection, NewFile, StorageBackend,
)
"""
CHECK = """
def look(root):
    {body}

@hookimpl
def polster_doctor_checks():
    yield DoctorCheck(name="vpn", summary="The VPN is up.", check=look)
"""
COLUMN = """
def cell(pipeline, asset):
    {body}

@hookimpl
def polster_asset_columns():
    yield AssetColumn(name="owner", summary="Who owns it.", value=cell)
"""
LINES = """
@hookimpl
def polster_gitignore_lines(context):
    yield GitignoreLine(pattern={pattern!r})
"""
SECTIONS = """
@hookimpl
def polster_guide_sections(context):
    yield GuideSection(guide=PurePosixPath({guide!r}), title="On our cluster", text="Ask us.")
"""


@pytest.fixture
def shop(make_project: MakeProject) -> ProjectFolder:
    return make_project(assets={"bronze_a": [], "silver_a": ["bronze_a"]})


def checks(shop: ProjectFolder) -> tuple[int, list[dict[str, str]]]:
    ran = shop.polster("doctor", "--json")
    return ran.code, [one for one in json.loads(ran.out)["checks"] if one["name"] == "vpn"]


def test_a_check_of_the_doctor(install_plugin: InstallPlugin, shop: ProjectFolder) -> None:
    """Its words are shown, and an error makes the doctor fail."""
    body = "yield CheckResult(status='error', message=f'down for {root.name}', hint='vpn up')"
    install_plugin("polster-plugin-vpn", HEAD + CHECK.format(body=body))
    code, found = checks(shop)
    told = {"name": "vpn", "status": "error", "message": "down for shop", "hint": "vpn up"}
    assert (code, found) == (1, [told])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise OSError('no device')", "OSError: no device"),
        ("return 5", "returned 5, not an iterable of CheckResult"),
        ("yield 'down'", "yielded 'down', not a CheckResult"),
        ("yield CheckResult(status='bad', message='x')", "'bad' is neither ok, warning, error"),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_a_check_that_fails_is_exit_4(
    body: str, said: str, install_plugin: InstallPlugin, shop: ProjectFolder
) -> None:
    """It is named, and the others go on."""
    install_plugin("polster-plugin-vpn", HEAD + CHECK.format(body=body))
    code, (found,) = checks(shop)
    assert code == 4
    assert said in found["message"]
    assert "the plugin polster-plugin-vpn failed" in found["message"]


def test_a_column(install_plugin: InstallPlugin, shop: ProjectFolder) -> None:
    body = "return f'{asset.name} of {len(pipeline.assets)}'"
    install_plugin("polster-plugin-owner", HEAD + COLUMN.format(body=body))
    ran = shop.polster("list-assets", "--column", "owner", "--column", "file").succeeded()
    assert ran.out.splitlines()[0].split() == [
        *("LAYER", "ASSET", "DEPENDS", "ON", "OWNER", "FILE", "DESCRIPTION")
    ]
    assert "a of 2" in ran.out
    assert "src/core/silver_a.py" in ran.out


def test_a_column_that_fails_is_exit_4(install_plugin: InstallPlugin, shop: ProjectFolder) -> None:
    install_plugin("polster-plugin-owner", HEAD + COLUMN.format(body="return asset.owner"))
    ran = shop.polster("list-assets", "--column", "owner")
    assert (ran.code, ran.out) == (4, "")
    assert "column owner: the plugin polster-plugin-owner failed: AttributeError" in ran.err
    shop.polster("list-assets").succeeded()
    ran = shop.polster("list-assets", "--column", "owners")
    assert ran.code == 2
    assert "there is no column owners. Did you mean owner?" in ran.err


def test_lines_and_sections_are_written_once_and_survive_an_upgrade(
    install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    text = LINES.format(pattern="*.qvd") + SECTIONS.format(guide="docs/running.md")
    install_plugin("polster-plugin-ours", HEAD + text)
    ran = run_polster(*INIT).succeeded()
    assert ran.err == ""
    shop = tmp_path / "shop"
    assert (shop / ".gitignore").read_text().endswith("*.qvd\n")
    assert (shop / "docs/running.md").read_text().endswith("\n\n## On our cluster\n\nAsk us.\n")
    assert run_polster("upgrade", "--check", cwd=shop).code == 0
    run_polster("add-cicd", "github-actions", cwd=shop).succeeded()
    assert (shop / ".gitignore").read_text().endswith("*.qvd\nreports/\n")
    run_polster("add-cicd", "gitlab-ci", cwd=shop).succeeded()
    assert (shop / ".gitignore").read_text().count("reports/") == 1
    assert run_polster("upgrade", "--check", cwd=shop).code == 0


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (LINES.format(pattern="!.env"), "'!.env' ignores all, or nothing"),
        (LINES.format(pattern="*"), "'*' ignores all, or nothing"),
        (LINES.format(pattern="a\nb"), "is no line of a .gitignore"),
        (SECTIONS.format(guide="docs/nowhere.md"), "no guide docs/nowhere.md"),
        (SECTIONS.format(guide="pyproject.toml"), "no guide pyproject.toml"),
        (SECTIONS.replace('"Ask us."', "5").format(guide="README.md"), "the text of a guide sec"),
    ],
)
def test_what_is_no_line_and_no_section(
    source: str, said: str, install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    """The plugin is left out, and the project is written without it."""
    install_plugin("polster-plugin-bad", HEAD + source)
    ran = run_polster(*INIT).succeeded()
    assert said in ran.err
    written = (tmp_path / "shop/.gitignore").read_text() + (tmp_path / "shop/README.md").read_text()
    assert "!.env\n" not in written
    assert "On our cluster" not in written


def test_an_optional_hook_of_another_version_is_no_fault(
    install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    """Where it is marked so; a plugin for version 1 of the hooks goes on working."""
    source = """
        from polster_core.hookspecs import hookimpl
        from polster_core.types import Option

        polster_api = ">=1,<2"

        @hookimpl(optionalhook=True)
        def polster_holograms(context):
            return ()

        @hookimpl
        def polster_init_options():
            yield Option(name="team", help="Who owns it.")
        """
    install_plugin("polster-plugin-future", dedent(source))
    (found,) = (
        one
        for one in json.loads(run_polster("plugins", "--json").out)["plugins"]
        if one["distribution"] == "polster-plugin-future"
    )
    assert (found["status"], found["provides"]) == ("active", ["option team"])
