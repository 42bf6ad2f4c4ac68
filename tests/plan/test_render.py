"""What a plan looks like."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from polster_core.plan.definition import Plan, Step, draft
from polster_core.plan.render import as_json, diff, summary
from polster_core.types import NewFile


def plan(root: Path) -> Plan:
    (root / "src").mkdir()
    (root / "data/silver/orders").mkdir(parents=True)
    (root / "data/gold/old").mkdir(parents=True)
    (root / "src/a.py").write_text("one\ntwo\nthree\n")
    (root / "src/b.py").write_text("one\ntwo\n")
    (root / "src/c.py").write_text("only\n")
    (root / "src/gone.py").write_text("gone\n")
    (root / "pixel.png").write_bytes(b"\x89PNG\0\xff")
    path = PurePosixPath
    return draft(
        root,
        [
            NewFile(path=path("src/new.py"), text="def f(): ...\n", note="write it here"),
            NewFile(path=path("src/a.py"), text="one\n2\nthree\nfour\n"),
            NewFile(path=path("src/d.py"), text="one\nzwei\n"),
            NewFile(path=path("pixel.png"), text=b"\x89PNG\0\0"),
        ],
        deleted=[path("src/gone.py"), path("data/gold/old")],
        moved={
            path("src/b.py"): path("src/d.py"),
            path("src/c.py"): path("src/e.py"),
            path("data/silver/orders"): path("data/silver/clean"),
        },
        notes={path("data/silver/orders"): "12 snapshots"},
        steps=[Step(name="git", summary="init, first commit", run=lambda: "")],
    )


def test_summary(tmp_path: Path) -> None:
    assert "\n".join(summary(plan(tmp_path))) == (
        "  update  pixel.png                                  binary\n"
        "  update  src/a.py                                   +2 -1 lines\n"
        "  rename  src/b.py -> src/d.py                       +1 -1 lines\n"
        "  rename  src/c.py -> src/e.py\n"
        "  delete  src/gone.py\n"
        "  create  src/new.py                                 write it here\n"
        "  remove  data/gold/old/\n"
        "  move    data/silver/orders/ -> data/silver/clean/  12 snapshots\n"
        "  git     init, first commit"
    )


def test_diff(tmp_path: Path) -> None:
    assert list(diff(plan(tmp_path))) == [
        "pixel.png: binary, not shown",
        "--- a/src/a.py",
        "+++ b/src/a.py",
        "@@ -1,3 +1,4 @@",
        " one",
        "-two",
        "+2",
        " three",
        "+four",
        "rename src/b.py -> src/d.py",
        "--- a/src/b.py",
        "+++ b/src/d.py",
        "@@ -1,2 +1,2 @@",
        " one",
        "-two",
        "+zwei",
        "rename src/c.py -> src/e.py",
        "--- a/src/gone.py",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-gone",
        "--- /dev/null",
        "+++ b/src/new.py",
        "@@ -0,0 +1 @@",
        "+def f(): ...",
    ]


def test_json(tmp_path: Path) -> None:
    shown = json.loads(json.dumps(as_json(plan(tmp_path))))
    assert shown["steps"] == [{"name": "git", "summary": "init, first commit"}]
    assert shown["changes"][2] == {
        "action": "rename",
        "path": "src/b.py",
        "target": "src/d.py",
        "note": "",
    }
    assert [(c["action"], c["path"], c["target"]) for c in shown["changes"][-2:]] == [
        ("remove", "data/gold/old", None),
        ("move", "data/silver/orders", "data/silver/clean"),
    ]


def test_an_empty_plan_says_nothing(tmp_path: Path) -> None:
    assert list(summary(draft(tmp_path))) == []
    assert list(diff(draft(tmp_path))) == []


def test_only_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\r\n")
    drafted = draft(tmp_path, [NewFile(path=PurePosixPath("a"), text="one\n")])
    assert list(summary(drafted)) == ["  update  a  line ends"]
