"""What validate says of files that Polster wrote: the runtime, what is missing, the manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

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


def test_a_manifest_that_cannot_be_read_is_named(shop: Path) -> None:
    (shop / ".polster/manifest.json").write_text("[]")
    assert ("manifest", ".polster/manifest.json") in problems(shop)


def test_a_conflict_that_nobody_has_decided_is_named(shop: Path) -> None:
    (shop / "README.md.polster-new").write_text("# shop\n")
    assert [rule for rule, _ in problems(shop)] == ["open-conflict"]
