"""Lists that somebody else keeps get lines at their end, and keep every byte of their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polster_core.adoption.additions import code_locations, patterns, settings
from polster_core.errors import PolsterError

OURS = b"# a comment\n.env\n.env.*\n!.env.example\ndata/*\n"
LOCATION = b"load_from:\n  - python_module:\n      module_name: o.d\n      location_name: lake\n"


def test_patterns_come_under_a_heading() -> None:
    assert patterns(b"*.pyc\ndata/*", OURS) == (
        b"*.pyc\ndata/*\n\n# Polster\n.env\n.env.*\n!.env.example\n"
    )
    assert patterns(b"", OURS) == b"# Polster\n.env\n.env.*\n!.env.example\ndata/*\n"
    assert patterns(OURS, OURS) == OURS


def test_an_exception_comes_again_behind_what_would_undo_it() -> None:
    assert patterns(b"!.env.example\r\n", OURS).splitlines()[-2:] == [b"!.env.example", b"data/*"]


def test_variables_come_with_their_comments() -> None:
    ours = b"# What it is.\nA=1\n\n# Both.\nB=2\n# C=3\n"
    assert settings(b"export A=9\n#B=\n", ours) == b"export A=9\n#B=\n\n# Both.\n# C=3\n"
    assert settings(b"A=\nB=\nC=\n", ours) == b"A=\nB=\nC=\n"


@given(mine=st.binary(max_size=200), new=st.sampled_from([OURS, b"A=1\n\n# b\nB=2\n"]))
def test_what_is_there_stays_to_the_byte(mine: bytes, new: bytes) -> None:
    for add in (patterns, settings):
        after = add(mine, new)
        assert after.startswith(mine)
        assert add(after, new) == after


@pytest.mark.parametrize(
    ("mine", "after"),
    [
        (
            b"# ours\nload_from:\n- python_file: a.py\n",
            (
                b"# ours\nload_from:\n- python_file: a.py\n- python_module:\n"
                b"    module_name: o.d\n    location_name: lake\n"
            ),
        ),
        (
            b"load_from:  # all\n    - python_file: a.py\n\n# the end\n",
            (
                b"load_from:  # all\n    - python_file: a.py\n    - python_module:\n"
                b"        module_name: o.d\n        location_name: lake\n\n# the end\n"
            ),
        ),
    ],
)
def test_a_code_location_is_one_more_item(mine: bytes, after: bytes) -> None:
    assert code_locations(mine, LOCATION) == after


@pytest.mark.parametrize("mine", [b"", b"load_from: [a.py]\n", b"load_from:\nother: 1\n"])
def test_a_list_that_is_written_otherwise_is_refused(mine: bytes) -> None:
    with pytest.raises(PolsterError, match=r"workspace\.yaml has no list load_from"):
        code_locations(mine, LOCATION)
