"""Polster's own pages: links lead somewhere, commands work, everything is up to date."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polster_core.cli.commands import COMMANDS
from tests import machine
from tests.docs.markdown import anchors, blocks, links
from tests.docs.reader import Reader, commands, matches
from tests.generated import guides
from tests.generated.byte_code import lend
from tests.generated.conftest import runtime, shared, templates

__all__ = ["runtime", "shared", "templates"]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST, TESTS = [block.text.strip() for block in blocks(README) if block.language == "sh"]


def _commands_in_tables(program: str) -> list[str]:
    """Return the commands in the first columns of the README's tables."""
    rows = [line for line in README.splitlines() if line.startswith(f"| `{program} ")]
    return [row.split("`")[1] for row in rows]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if not link.startswith("https://"):
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_page_is_reachable_from_the_readme() -> None:
    found: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page.is_dir():
            waiting += page.glob("*.md")
        elif page not in found and page.suffix == ".md":
            found.add(page)
            targets = (link.partition("#")[0] for link in links(page.read_text(encoding="utf-8")))
            waiting += [page.parent / path for path in targets if path and "://" not in path]
    assert set(PAGES) - found == set()


def test_the_reference_is_what_the_commands_print() -> None:
    check = [sys.executable, str(ROOT / "docs" / "commands.py"), "--check"]
    done = subprocess.run(check, check=False)
    assert done.returncode == 0, "run  python docs/commands.py"


def test_the_reference_has_every_command() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert {f"polster-{command}" for command in COMMANDS} <= anchors(page)


def test_pictures_are_small_enough_for_a_page() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > 300_000} == {}


def test_the_chart_is_what_its_script_draws() -> None:
    check = [sys.executable, str(ROOT / "docs" / "chart.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "run  python docs/chart.py"


def test_ci_runs_the_command_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == TESTS


def test_the_asset_of_the_readme_is_one_that_is_carried_out() -> None:
    made = ROOT / "polster_core/templates/project/README.md.jinja"
    (asset,) = [block.text for block in blocks(README) if block.language == "python"]
    assert asset in made.read_text(encoding="utf-8")


def test_the_commands_of_the_readme_s_table_work_in_the_project_of_its_first(
    tmp_path: Path,
) -> None:
    """One after the other, without the environment; what a person is asked is tested elsewhere."""
    shown = _commands_in_tables("polster")
    runs = {"polster run --ui", "polster run --failed"}
    elsewhere = {*runs, "polster add-asset", "polster doctor"}
    assert elsewhere < set(shown)
    made = machine.polster("init", "shop", "--no-setup", "--no-git", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for command in shown:
        if command not in elsewhere:
            done = machine.polster(*shlex.split(command)[1:], cwd=tmp_path / "shop")
            assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.mark.slow
def test_the_first_command_begins_what_the_readme_shows(tmp_path: Path, runtime: Path) -> None:
    """On a machine with Python alone, whose pip is not for users, as on Debian; uv is not there."""
    checkout, system = _checkout(tmp_path / "polster"), tmp_path / "system"
    machine.stand_in(system, "pip", "echo 'error: externally-managed-environment' >&2; exit 1")
    (system / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    path = os.pathsep.join([str(system), "/usr/local/bin", "/usr/bin", "/bin"])
    assert shutil.which("uv", path=path) is None
    reader = Reader(page="", folder=checkout, env={"PATH": path})
    done = reader.run(FIRST)
    assert done.returncode == 0, done.stdout
    consoles = [block for block in blocks(README) if block.language == "console"]
    (shown, expected), *rest = [pair for block in consoles for pair in commands(block.text)]
    assert shown in FIRST
    assert matches(expected, done.stdout), done.stdout
    assert not (checkout / "shop").exists()
    reader.env["PATH"] = path = f"{checkout / '.venv' / 'bin'}{os.pathsep}{path}"
    by_pip(tmp_path / "shop", path, runtime)
    guides.fork(tmp_path / "shop/.venv/bin/python", runtime)
    for command, expected in rest:
        if command == "cd shop":
            reader.folder = tmp_path / "shop"
        else:
            said = reader.run(command)
            assert said.returncode == 0, said.stdout
            assert not expected or matches(expected, said.stdout), said.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", [*_commands_in_tables("uv"), *_commands_in_tables("pipx")])
def test_it_can_be_installed_as_a_tool(tmp_path: Path, command: str) -> None:
    tool, *words = shlex.split(command)
    tools, programs = str(tmp_path / "tools"), str(tmp_path / "bin")
    env = {"UV_TOOL_DIR": tools, "PIPX_HOME": tools}
    env |= {"UV_TOOL_BIN_DIR": programs, "PIPX_BIN_DIR": programs}
    uv = [sys.executable, "-m", "uv"]
    program = uv if tool == "uv" else [*uv, "tool", "run", "--from", tool, tool]
    checkout = _checkout(tmp_path / "polster")
    done = machine.run([*program, *words], cwd=checkout, env=env)
    assert done.returncode == 0, done.stderr
    assert machine.run([tmp_path / "bin" / "polster", "--version"]).returncode == 0


def _checkout(folder: Path) -> Path:
    """Copy what git knows of this repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0")[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def by_pip(shop: Path, path: str, runtime: Path) -> None:
    """Do what the README of the new project says to those who have no uv."""
    page = (shop / "README.md").read_text(encoding="utf-8")
    activated = {"PATH": f"{shop / '.venv' / 'bin'}{os.pathsep}{path}"}
    reader = Reader(page=page, folder=shop, env=activated, skipped=frozenset({"With uv"}))
    reader.read("Install")
    assert lend(runtime, shop / ".venv/bin/python") > 0
    reader.read("Run")
