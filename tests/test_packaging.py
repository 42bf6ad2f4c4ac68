"""The distribution: what is in the wheel, and that it works from there."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import polster_core
from polster_core.testing.projects import tree
from tests import machine

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WHEEL = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
PACKAGES = WHEEL["packages"]
INCLUDED = WHEEL["force-include"]
"""Files and folders of the repository that the wheel has under another path."""


def tracked(folder: str) -> set[str]:
    """List the files of a folder that git knows or would take in."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", folder]
    done = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True)
    return {line for line in done.stdout.splitlines() if (ROOT / line).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel as a release does: the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    done = machine.python("-m", "build", "--outdir", folder, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.mark.slow
def test_every_file_is_in_the_wheel(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        f"{Path(package).name}/{Path(path).relative_to(package).as_posix()}"
        for package in PACKAGES
        for path in tracked(package)
    } | {
        path.replace(source, target, 1)
        for source, target in INCLUDED.items()
        for path in tracked(source)
    }
    assert packed == expected
    assert any("/dot_" in name for name in packed), "dot files are stored under other names"
    assert wheel.name == f"polster-{polster_core.__version__}-py3-none-any.whl"


@pytest.mark.slow
def test_the_sdist_has_what_the_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "tests/conftest.py"} <= packed
    assert {path for folder in [*PACKAGES, *INCLUDED] for path in tracked(folder)} <= packed


@pytest.mark.slow
def test_the_wheel_writes_the_same_project(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    venv = tmp_path / "venv"
    uv = [sys.executable, "-m", "uv"]
    assert machine.run([*uv, "venv", "--quiet", "--python", sys.executable, venv]).returncode == 0
    done = machine.run([*uv, "pip", "install", "--quiet", "--python", venv / "bin/python", wheel])
    assert done.returncode == 0, done.stderr
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    given = ("init", "shop", "--no-setup", "--no-git")
    done = machine.run([venv / "bin/polster", *given], cwd=tmp_path / "a")
    assert done.returncode == 0, done.stderr
    machine.polster(*given, cwd=tmp_path / "b")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


@pytest.mark.parametrize("folder", sorted(path.name for path in (ROOT / "plugins").iterdir()))
def test_a_built_in_plugin_is_packaged_registered_and_typed(folder: str) -> None:
    package = f"polster_{folder}"
    assert f"plugins/{folder}/{package}" in PACKAGES
    assert PYPROJECT["project"]["entry-points"]["polster"][folder.replace("_", "-")] == package
    assert (ROOT / "plugins" / folder / package / "py.typed").is_file()
    assert package in PYPROJECT["tool"]["mypy"]["packages"]


def test_templates_have_names_that_nothing_swallows() -> None:
    """A root .gitignore with `data/` or `.env*` would drop real dot files from git and wheel."""
    templates = [path for path in tracked(".") if "/templates/" in path]
    assert templates
    for path in templates:
        assert not any(part.startswith(".") for part in Path(path).parts), path


def test_only_what_holds_jinja_is_named_so() -> None:
    marks = (b"{{", b"{%", b"{#")
    templates = [path for path in tracked(".") if path.endswith(".jinja")]
    assert templates
    for path in templates:
        content = (ROOT / path).read_bytes()
        assert any(mark in content for mark in marks), path
