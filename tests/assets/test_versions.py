"""What `--template latest` and `--template history` write: it runs, and its own test passes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polster_core.delivery import runtime_folder
from polster_core.testing import MakeProject, ProjectFolder, make_project

__all__ = ["make_project"]

CASES = {
    "latest": ("--key", "id", "--columns", "row"),
    "latest, several keys": ("--key", "shop,id", "--order", "changed at", "--columns", "a,b:Date"),
    "history": ("--key", "id", "--seen", "loaded_on:String", "--columns", "name"),
    "history, several keys": ("--key", 'shop,"id"', "--seen", "x" * 30, "--columns", "a b"),
}


@pytest.fixture
def shop(make_project: MakeProject) -> ProjectFolder:
    return make_project(assets={"bronze_a": [], "silver_a": ["bronze_a"]})


@pytest.mark.parametrize("layer", ["silver", "gold"])
@pytest.mark.parametrize("case", CASES)
def test_the_written_test_passes(case: str, layer: str, shop: ProjectFolder) -> None:
    """And ruff has nothing to say."""
    template = case.partition(",")[0]
    add = ("add-asset", "--layer", layer, "--name", "b", "--dependencies", "a")
    shop.polster(*add, "--template", template, *CASES[case]).succeeded()
    written = (f"src/core/{layer}_b.py", f"tests/test_{layer}_b.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", written[1]]
    path = os.pathsep.join([str(shop.root / "src"), str(Path(str(runtime_folder())).parent)])
    (shop.root / "src/polster_runtime/__init__.py").unlink()
    (shop.root / "src/polster_runtime").rmdir()
    done = subprocess.run(
        command,
        check=False,
        cwd=shop.root,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    for args in (["check", "--select", "E,F,W,B,UP,SIM"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *args, "--isolated", "--line-length", "100"]
        done = subprocess.run(
            [*ruff, *written], check=False, cwd=shop.root, capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("latest",), "--template latest needs --key and --columns"),
        (("latest", "--key", "id,,x", "--columns", "a"), "--key is columns, each with its type"),
        (("latest", "--key", "id:Int", "--columns", "a"), "--key is columns, each with its type"),
        (("latest", "--key", "id", "--columns", "id"), "the column id is named twice"),
        (("history", "--key", "id", "--seen", "id", "--columns", "a"), "the column id is named"),
        (("history", "--key", "id", "--seen", "x", "--columns", "valid_to"), "the column valid_to"),
    ],
)
def test_what_cannot_be_meant(args: tuple[str, ...], said: str, shop: ProjectFolder) -> None:
    before = shop.tree()
    add = ("add-asset", "--layer", "silver", "--name", "b", "--dependencies", "a", "--template")
    ran = shop.polster(*add, *args)
    assert (ran.code, shop.tree()) == (2, before)
    assert said in ran.err
