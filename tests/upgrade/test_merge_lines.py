"""Merging texts by lines: what git does, without git, and never a line of the team lost."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polster_core.upgrade.merge import merge_file
from polster_core.upgrade.merge.lines import merge_lines

BASE = b"""import os
import sys

CRON = "1 0 * * *"


def build() -> None:
    print("built")


def main() -> int:
    build()
    return 0
"""


def edited(*pairs: tuple[str, str], text: bytes = BASE) -> bytes:
    for old, new in pairs:
        assert old.encode() in text
        text = text.replace(old.encode(), new.encode(), 1)
    return text


@pytest.mark.parametrize(
    ("mine", "new", "merged"),
    [
        (BASE, edited(("0\n", "1\n")), edited(("0\n", "1\n"))),
        (edited(("1 0", "5 4")), BASE, edited(("1 0", "5 4"))),
        (
            edited(("1 0", "5 4")),
            edited(("return 0", "return 1")),
            edited(("1 0", "5 4"), ("return 0", "return 1")),
        ),
        (edited(("1 0", "5 4")), edited(("1 0", "5 4")), edited(("1 0", "5 4"))),
        (edited(("return 0", "return 2")), edited(("return 0", "return 1")), None),
        (edited(("import os\n", "")), edited(("import os", "import re")), None),
        (b"", BASE, b""),
    ],
    ids=["new", "mine", "apart", "alike", "conflict", "deleted", "emptied"],
)
def test_merges(mine: bytes, new: bytes, merged: bytes | None) -> None:
    assert merge_lines(BASE, mine, new) == merged


def test_line_ends_stay_those_of_the_team() -> None:
    mine = edited(("1 0", "5 4")).replace(b"\n", b"\r\n").rstrip()
    new = edited(("return 0", "return 1\n\n\nbuild()"))
    expected = edited(("1 0", "5 4"), ("return 0", "return 1\n\n\nbuild()"))
    merged = merge_lines(BASE, mine, new)
    assert merged == expected.replace(b"\n", b"\r\n")


def test_an_end_that_both_have_changed_is_a_conflict() -> None:
    assert merge_lines(b"a\nb\n", b"a\nb\nmine\n", b"a\nb\nnew\n") is None


def test_a_byte_order_mark_stays() -> None:
    mine = b"\xef\xbb\xbf" + edited(("1 0", "5 4"))
    merged = merge_file(PurePosixPath("a.py"), BASE, mine, edited(("return 0", "return 1")))
    assert merged.text == b"\xef\xbb\xbf" + edited(("1 0", "5 4"), ("return 0", "return 1"))


def test_what_cannot_be_parsed_when_put_together_is_a_conflict() -> None:
    base = b"def f():\n    x = 1\n\n    y = 2\n\n    z = 3\n"
    mine = base.replace(b"    z = 3\n", b"    return (\n        3\n    )\n")
    new = base.replace(b"def f():\n", b"def f():\n    if True:\n        return (\n")
    merged = merge_file(PurePosixPath("a.py"), base, mine, new)
    assert merged.text is None
    assert merged.conflicts == ("put together, both changes cannot be parsed",)
    assert merge_file(PurePosixPath("a.md"), base, mine, new).text is not None


def test_without_a_base_nothing_is_merged() -> None:
    merged = merge_file(PurePosixPath("a.py"), None, b"mine\n", b"new\n")
    assert (merged.text, merged.conflicts) == (None, ("what was generated before is not known",))


def test_what_is_not_a_text_is_not_merged() -> None:
    merged = merge_file(PurePosixPath("a.png"), b"\0a\n", b"\0b\n", b"\0c\n")
    assert (merged.text, merged.conflicts) == (None, ("it is not a text",))


lines = st.lists(
    st.sampled_from([b"", b"a", b"b", b"    c", b"d\xc3\xa9"]) | st.binary(max_size=3), max_size=12
).map(lambda found: [line.replace(b"\n", b"").replace(b"\r", b"") for line in found])


@st.composite
def versions(
    draw: st.DrawFn, *, unique: bool = False
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Draw a text and two random edits of it; what they add is theirs alone."""
    base = draw(lines)
    if unique:
        base = list(dict.fromkeys(base))

    def edit(mark: bytes) -> list[bytes]:
        found = list(base)
        for number in range(draw(st.integers(0, 4))):
            place = draw(st.integers(0, len(found)))
            added = [b"%s %d" % (mark, number)][: draw(st.integers(0, 1))]
            found[place : place + draw(st.integers(0, 2))] = added
        return found

    return base, edit(b"mine"), edit(b"new")


@given(versions())
@settings(max_examples=200)
def test_no_line_that_only_the_team_has_is_lost(
    drawn: tuple[list[bytes], list[bytes], list[bytes]],
) -> None:
    base, mine, new = drawn
    merged = merge_lines(*(b"".join(line + b"\n" for line in text) for text in drawn))
    if merged is None:
        return
    found = merged.split(b"\n")[:-1]
    assert [line for line in found if line.startswith(b"mine ")] == [
        line for line in mine if line.startswith(b"mine ")
    ]
    assert [line for line in found if line.startswith(b"new ")] == [
        line for line in new if line.startswith(b"new ")
    ]
    kept = {  # unchanged on both sides, by the differences of either
        i
        for other in (mine, new)
        for tag, i1, i2, _, _ in difflib.SequenceMatcher(None, base, other, False).get_opcodes()  # noqa: FBT003 - positional in the standard library
        if tag != "equal"
        for i in range(i1, i2)
    }
    untouched = [line for i, line in enumerate(base) if i not in kept]
    rest = iter(found)
    assert all(line in rest for line in untouched)


@given(versions())
def test_merging_again_changes_nothing(
    drawn: tuple[list[bytes], list[bytes], list[bytes]],
) -> None:
    base, mine, new = (b"".join(line + b"\n" for line in text) for text in drawn)
    merged = merge_lines(base, mine, new)
    if merged is not None:
        assert merge_lines(new, merged, new) == merged
        assert merge_lines(base, mine, base) == mine
        assert merge_lines(base, base, new) == new


@given(versions(unique=True))  # which of two equal lines somebody took out, nobody can tell
@settings(max_examples=100, deadline=None)
def test_it_is_what_git_does(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: tuple[list[bytes], list[bytes], list[bytes]],
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    contents = [b"".join(line + b"\n" for line in text) for text in drawn]
    merged = merge_lines(*contents)
    code, text = git_merge(folder, *contents)
    if merged is not None and code == 0:
        assert merged == text


def git_merge(folder: Path, base: bytes, mine: bytes, new: bytes) -> tuple[int, bytes]:
    for name, content in (("base", base), ("mine", mine), ("new", new)):
        (folder / name).write_bytes(content)
    command = ["git", "merge-file", "-p", "mine", "base", "new"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("mine", "new"),
    [
        (edited(("1 0", "5 4")), edited(("return 0", "return 1"))),
        (edited(("import sys\n", "")), edited(("    return 0", "    print(1)\n    return 0"))),
        (edited(("return 0", "return 2")), edited(("return 0", "return 3"))),
    ],
)
def test_real_edits_merge_as_in_git(tmp_path: Path, mine: bytes, new: bytes) -> None:
    code, text = git_merge(tmp_path, BASE, mine, new)
    assert merge_lines(BASE, mine, new) == (text if code == 0 else None)
