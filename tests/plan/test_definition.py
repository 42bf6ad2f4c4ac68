"""A plan: what would change, and all of its conflicts."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from polster_core.errors import PlanError
from polster_core.plan.conflicts import of_paths
from polster_core.plan.definition import Kind, Step, draft
from polster_core.types import NewFile


def file(path: str, text: str | bytes = "text\n", *, origin: str = "") -> NewFile:
    return NewFile(path=PurePosixPath(path), text=text, origin=origin)


def paths(*texts: str) -> list[PurePosixPath]:
    return [PurePosixPath(text) for text in texts]


def test_kinds_follow_from_the_bytes(tmp_path: Path) -> None:
    for name in ("kept", "updated", "deleted", "renamed", "edited"):
        (tmp_path / name).write_text("old\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "data").mkdir()

    plan = draft(
        tmp_path,
        [file("new"), file("kept", "old\n"), file("updated"), file("edited_too", "edited\n")],
        deleted=paths("deleted", "folder"),
        moved=dict(
            zip(
                paths("renamed", "edited", "data"),
                paths("other", "edited_too", "facts"),
                strict=True,
            )
        ),
    )

    assert {str(change.path): change.kind for change in plan} == {
        "deleted": Kind.DELETE,
        "edited_too": Kind.RENAME,
        "new": Kind.CREATE,
        "other": Kind.RENAME,
        "updated": Kind.UPDATE,
    }
    assert [(str(f.path), f.kind, f.target) for f in plan.folders] == [
        ("folder", Kind.REMOVE, None),
        ("data", Kind.MOVE, PurePosixPath("facts")),
    ]


def test_nothing_to_do_is_false(tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(b"one\r\ntwo\r\n")
    assert not draft(tmp_path, [file("same", "one\r\ntwo\r\n")])
    assert draft(tmp_path, [file("same", "one\ntwo\n")]), "line ends are bytes, too"
    assert draft(tmp_path, steps=[Step(name="git", summary="init", run=lambda: "done")])


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("")

    with pytest.raises(PlanError) as caught:
        draft(
            tmp_path,
            [
                file("/etc/passwd", origin="polster-plugin-evil"),
                file("../x"),
                file("C:/x"),
                file("a\\b"),
                file("README.md", origin="polster"),
                file("readme.md", origin="polster-plugin-s3"),
                file("a/b", origin="one"),
                file("a", origin="two"),
                file("folder"),
                file("plain/below"),
            ],
            deleted=paths("missing"),
        )

    assert caught.value.reason == "9 conflicts"
    assert caught.value.details == (
        "/etc/passwd is outside the project (polster-plugin-evil)",
        "../x is outside the project",
        "C:/x is outside the project",
        "a\\b is outside the project",
        "README.md and readme.md: wanted by both polster and polster-plugin-s3",
        "a and a/b: wanted by both two and one",
        "missing does not exist",
        "folder is a folder, and a file of that name is wanted",
        "plain is a file, and a folder of that name is wanted",
    )


def test_one_problem_is_the_reason_itself(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"^x is written twice$") as caught:
        draft(tmp_path, [file("x"), file("x")])
    assert caught.value.details == ()
    assert of_paths([file("x"), file("y")]) == []


@pytest.mark.parametrize(
    ("deleted", "moved", "wanted", "problem"),
    [
        (["a"], {"a": "b"}, [], "a is removed twice"),
        (["a"], {}, ["a"], "a is both written and removed"),
        (["dir"], {}, ["dir/x"], "dir/x is both written and removed"),
        ([], {"a": "taken"}, [], "taken is there already; a cannot take its name"),
        ([], {"a": "../b"}, [], "../b is outside the project"),
        ([], {"none": "b"}, [], "none does not exist"),
    ],
)
def test_impossible_removals(
    tmp_path: Path, deleted: list[str], moved: dict[str, str], wanted: list[str], problem: str
) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "taken").write_text("")
    (tmp_path / "dir").mkdir()
    with pytest.raises(PlanError) as caught:
        draft(
            tmp_path,
            [file(path) for path in wanted],
            deleted=paths(*deleted),
            moved={PurePosixPath(old): PurePosixPath(new) for old, new in moved.items()},
        )
    assert problem in [caught.value.reason, *caught.value.details]


def test_two_files_cannot_become_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")
    with pytest.raises(PlanError, match=r"^2 files would become c$"):
        draft(tmp_path, moved=dict.fromkeys(paths("a", "b"), PurePosixPath("c")))


def test_links_may_not_lead_out(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (elsewhere / "settings").write_text("theirs")
    (project / "settings").symlink_to(elsewhere / "settings")
    (project / "docs").symlink_to(elsewhere)
    (project / "dangling").symlink_to("nowhere")

    with pytest.raises(PlanError) as caught:
        draft(project, [file("settings"), file("docs/new"), file("dangling")])

    assert caught.value.details == (
        f"settings leads out of the project, to {elsewhere / 'settings'}",
        f"docs/new leads out of the project, to {elsewhere / 'new'}",
        "dangling is a link to a file that does not exist",
    )


def test_write_protected_files_are_respected(tmp_path: Path) -> None:
    for name in ("a", "b", "same"):
        (tmp_path / name).write_text("mine\n")
        (tmp_path / name).chmod(0o444)
    with pytest.raises(PlanError) as caught:
        draft(tmp_path, [file("a"), file("same", "mine\n")], deleted=paths("b"))
    assert caught.value.details == ("a is write-protected", "b is write-protected")
