"""What is remembered of how a project was generated."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

import polster_core
from polster_core.errors import PolsterError
from polster_core.plan.apply import apply
from polster_core.plan.definition import draft
from polster_core.project.base import read_base
from polster_core.project.manifest import (
    Entry,
    Manifest,
    digest,
    load,
    record,
)
from polster_core.types import NewFile
from tests.conftest import names


def file(path: str, text: str | bytes) -> NewFile:
    return NewFile(path=PurePosixPath(path), text=text, origin="project")


FILES = [
    file("README.md", "# shop\n"),
    file("src/core/__init__.py", ""),
    file("docs/pixel.png", b"\x89PNG\r\n\0\xff"),
    file(".gitignore", ".env\n"),
    file(".env", "ADLS_ACCOUNT_KEY=hunter2\n"),
    file("docs/key.md", "The key is hunter2.\n"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write a manifest for a few files."""
    manifest = Manifest(
        name="shop", answers={"storage": "adls"}, plugins={"project": "polster 0.1.0"}
    )
    apply(draft(tmp_path / "shop", record(manifest, FILES, secrets=["hunter2", ""])))
    return tmp_path / "shop"


def test_what_is_written_can_be_read(project: Path) -> None:
    found = load(project)

    assert (found.name, found.polster) == ("shop", polster_core.__version__)
    assert found.answers == {"storage": "adls"}
    assert found.plugins == {"project": "polster 0.1.0"}
    assert found.files[PurePosixPath("README.md")] == Entry(
        digest=digest(b"# shop\n"), origin="project"
    )
    base = read_base(project)
    for path in ("README.md", "src/core/__init__.py", "docs/pixel.png", ".gitignore"):
        content = next(f.content for f in FILES if str(f.path) == path)
        assert base[PurePosixPath(path)] == content
        assert found.files[PurePosixPath(path)].digest == digest(content)
    assert PurePosixPath("none") not in base


def test_secrets_are_nowhere(project: Path) -> None:
    assert set(map(str, load(project).files)) == {
        ".gitignore",
        "README.md",
        "docs/pixel.png",
        "src/core/__init__.py",
    }
    written = [project / name for name in names(project)]
    assert not [path for path in written if path.is_file() and b"hunter2" in path.read_bytes()]


def test_no_tool_takes_the_base_for_code(project: Path) -> None:
    assert not list(project.rglob("*.py"))
    assert names(project / ".polster") == ["base.zip", "manifest.json"]


def test_more_files_are_added_to_it(project: Path) -> None:
    apply(draft(project, record(load(project), [file("src/core/tables.py", "x\n")], root=project)))
    assert list(map(str, load(project).files))[-2:] == [
        "src/core/__init__.py",
        "src/core/tables.py",
    ]
    assert {PurePosixPath("README.md"), PurePosixPath("src/core/tables.py")} <= read_base(
        project
    ).keys()


def test_line_ends_are_git_s_business() -> None:
    assert digest(b"a\r\nb\r\n") == digest(b"a\nb\n") != digest(b"a b\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be read: Expecting value"),
        ("[]", "cannot be read: list indices"),
        ('{"format": 1}', "has no 'polster'"),
        ('{"format": 2, "polster": "9.1"}', "this project was written by Polster 9.1, and this is"),
        ('{"format": 99, "polster": "0.0.1"}', "this project was written by Polster 0.0.1"),
        (None, "is missing"),
    ],
)
def test_a_bad_manifest_is_a_clear_error(project: Path, text: str | None, reason: str) -> None:
    path = project / ".polster/manifest.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(PolsterError, match=reason):
        load(project)


def test_the_same_input_gives_the_same_bytes(project: Path) -> None:
    again = record(load(project), reversed(FILES), secrets=["hunter2"])
    assert not draft(project, again)
    text = (project / ".polster/manifest.json").read_text()
    assert text.endswith("}\n")
    assert len([line for line in text.splitlines() if '"sha256"' in line]) == len(
        json.loads(text)["files"]
    )
    assert list(json.loads(text)) == [
        *("format", "polster", "name", "answers", "plugins"),
        *("templates", "requirements"),
        "files",
    ]
