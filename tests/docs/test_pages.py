"""Polster's own pages: links lead somewhere, commands work, everything is up to date."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from polster_core.cli.commands import COMMANDS
from tests import machine
from tests.docs.markdown import anchors, blocks, links
from tests.docs.reader import Reader

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FIRST, TESTS = [
    block.text.strip()
    for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    if block.language == "sh"
]


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


def test_ci_runs_the_command_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == TESTS


def test_the_asset_of_the_readme_is_one_that_is_carried_out() -> None:
    readme, agents = ROOT / "README.md", ROOT / "polster_core/templates/project/AGENTS.md.jinja"
    page = readme.read_text(encoding="utf-8")
    (asset,) = [block.text for block in blocks(page) if block.language == "python"]
    assert asset in agents.read_text(encoding="utf-8")


def test_the_commands_of_the_readme_s_table_work_in_the_project_of_its_first(
    tmp_path: Path,
) -> None:
    """One after the other, without the environment; what a person is asked is tested elsewhere."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `polster ")]
    elsewhere = {"polster run --ui", "polster add-asset", "polster doctor"}
    assert elsewhere < set(shown)
    made = machine.polster("init", "shop", "--no-setup", "--no-git", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for command in shown:
        if command not in elsewhere:
            done = machine.polster(*shlex.split(command)[1:], cwd=tmp_path / "shop")
            assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.mark.slow
def test_the_first_command_ends_with_the_answer(tmp_path: Path) -> None:
    """On a machine with Python and pip and nothing else; uv is not there."""
    checkout, python = tmp_path / "polster", tmp_path / "python"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0")[:-1]:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)
    venv.create(python, with_pip=True)
    path = os.pathsep.join([str(python / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])
    assert shutil.which("uv", path=path) is None
    done = Reader(page="", folder=checkout, env={"PATH": path}).run(FIRST)
    assert done.returncode == 0, done.stdout
    answer = done.stdout.splitlines()[-9:]
    promised = (ROOT / "README.md").read_text(encoding="utf-8")
    assert answer[1].startswith("│ segment"), done.stdout
    assert "\n".join(answer) in promised
    by_pip(checkout / "shop", path)


def by_pip(shop: Path, path: str) -> None:
    """Do what the README of the new project says to those who have no uv."""
    page = (shop / "README.md").read_text(encoding="utf-8")
    activated = {"PATH": f"{shop / '.venv' / 'bin'}{os.pathsep}{path}"}
    reader = Reader(page=page, folder=shop, env=activated, skipped=frozenset({"With uv"}))
    reader.read("The first five minutes")
