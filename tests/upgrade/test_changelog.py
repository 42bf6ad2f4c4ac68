"""What changed for users between two versions."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import polster_core
from polster_core.plan.definition import Plan
from polster_core.upgrade import changelog
from polster_core.upgrade.changelog import Changes, changes_between
from polster_core.upgrade.report import Upgrade, as_json, change_lines

TEXT = """# Changelog

## 0.10.0 (unreleased)

- The tenth is newer than the second. It has more
  to say.
- One
  of two lines

## 0.2.0 - 2026-12-01

- Version 1.5 is named in this sentence, which goes on and on and on and on and on and on
  and on and on and on and on and on and on and on and on, so that it is cut. Then more.

## 0.1.0

- The first.
"""


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "_text", lambda: TEXT)


@pytest.mark.usefixtures("text")
def test_the_versions_between() -> None:
    newest = Changes(
        version="0.10.0", lines=("The tenth is newer than the second", "One of two lines")
    )
    assert changes_between("0.2.0", "0.10.0") == [newest]
    assert [one.version for one in changes_between("0.0.1", "0.10.0")] == [
        *("0.10.0", "0.2.0", "0.1.0")
    ]
    assert [one.version for one in changes_between("0.1.0", "0.9")] == ["0.2.0"]
    assert changes_between("0.10.0", "0.10.0") == []
    assert len(changes_between("no version", "0.10.0")) == 3


@pytest.mark.usefixtures("text")
def test_a_long_sentence_is_cut_between_words() -> None:
    (line,) = changes_between("0.1.0", "0.2.0")[0].lines
    assert line.startswith("Version 1.5 is named in this sentence")
    assert line.endswith((" on …", " and …"))
    assert len(line) <= 142


def test_ours_has_something_to_say_about_this_version() -> None:
    (ours,) = changes_between("0.1.0", polster_core.__version__)
    assert any("`polster upgrade`" in line for line in ours.lines)


def test_people_are_shown_the_first_of_many(tmp_path: Path) -> None:
    many = Changes(version="9.0", lines=tuple(f"line {number}" for number in range(15)))
    few = Changes(version="8.0", lines=("one",))
    upgrade = Upgrade(
        before="7",
        after="9.0",
        runtime=("vendored", "vendored"),
        outcomes=(),
        plan=Plan(root=tmp_path),
        changes=(many, few),
    )
    lines = [*change_lines(upgrade)]
    assert lines[:2] == ["New in 9.0:", "  - line 0"]
    assert lines[12:] == [
        "  - line 11",
        "  … and 3 more; --json lists all",
        "New in 8.0:",
        "  - one",
    ]
    assert len(as_json(upgrade, applied=False)["changes"][0]["lines"]) == 15


def test_an_installation_without_one_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "_text", lambda: "")
    assert changes_between("0.1.0", "0.2.0") == []


def test_the_wheel_has_it(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    root = Path(__file__).parents[2]
    (wheel,) = WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read("polster_core/CHANGELOG.md").decode()
    assert packed == (root / "CHANGELOG.md").read_text(encoding="utf-8")
