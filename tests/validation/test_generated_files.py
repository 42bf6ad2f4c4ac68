"""What validate says of files that Polster wrote: the runtime, what is missing, the manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import polster_core
from polster_core.doctor import of_project
from tests import machine


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new project, which validate finds nothing wrong with."""
    folder = tmp_path_factory.mktemp("written")
    done = machine.polster("init", "shop", "--no-setup", "--no-git", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert problems(folder / "shop") == []
    return folder / "shop"


@pytest.fixture
def shop(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "shop"))


def problems(root: Path) -> list[tuple[str, str]]:
    done = machine.polster("validate", "--format", "json", cwd=root)
    return [(one["rule"], one["path"]) for one in json.loads(done.stdout)["problems"]]


def test_an_edited_runtime_is_named(shop: Path) -> None:
    file = shop / "src/polster_runtime/domain/layers.py"
    file.write_text(file.read_text() + "# ours\n")
    assert problems(shop) == [("edited-runtime", "src/polster_runtime/domain/layers.py")]


@pytest.mark.parametrize("path", ["workspace.yaml", "run_polster.py", "src/core/storage.py"])
def test_v3_a_generated_file_that_is_missing_is_named(shop: Path, path: str) -> None:
    (shop / path).unlink()
    assert ("missing-generated-file", path) in problems(shop)
    (check,) = [one for one in of_project(shop) if one.name == "files"]
    assert (check.status, check.message) == ("warning", f"{path} was generated, and is missing")


def test_v3_a_manifest_of_a_newer_polster_is_named(shop: Path) -> None:
    file = shop / ".polster/manifest.json"
    text = file.read_text().replace(f'"polster": "{polster_core.__version__}"', '"polster": "99.0"')
    file.write_text(text)
    assert ("manifest", ".polster/manifest.json") in problems(shop)
    first = next(iter(of_project(shop)))
    assert (first.name, first.status) == ("manifest", "error")
    assert first.message.startswith("this project was written by Polster 99.0, and this is")


def test_a_manifest_that_cannot_be_read_is_named(shop: Path) -> None:
    (shop / ".polster/manifest.json").write_text("[]")
    assert ("manifest", ".polster/manifest.json") in problems(shop)


def test_a_conflict_that_nobody_has_decided_is_named(shop: Path) -> None:
    (shop / "README.md.polster-new").write_text("# shop\n")
    assert [rule for rule, _ in problems(shop)] == ["open-conflict"]
