"""Whatever value is written into `.env`: python-dotenv and the shell read it back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import example, given, settings
from hypothesis import strategies as st

from polster_core.rendering.dotenv import quoted, unquoted

SPECIAL = st.text("ab 1#'\"\\$`{}:-=!~*?;&|<>()%\t\n\rä€", max_size=12)
VALUES = (
    SPECIAL
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    | st.sampled_from(
        ["${HOME}", "$HOME", "a # b", " a ", "it's", '"', "C:\\data\\", "a\\\\b", "`id`"]
    )
)


@settings(max_examples=200, deadline=None)
@example("p#1 'x' \"y\" ${HOME} \\")
@example("${HOME}'\\")
@given(VALUES)
def test_a_value_is_read_back(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.getbasetemp() / "one.env"
    text = f"FIRST='it'\nX={quoted(value)}\nLAST=\"1\" # '\n"
    path.write_bytes(text.encode())
    assert dotenv_values(path) == {"FIRST": "it", "X": value, "LAST": "1"}
    assert unquoted(quoted(value)) == value


@settings(max_examples=30, deadline=None)
@example(["p#1 'x' \"y\" ${HOME} \\", "${HOME}'\\"])
@given(st.lists(VALUES.filter(lambda one: not {"`", "'"} <= set(one) and "\r" not in one)))
def test_a_shell_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    lines = [f"X{number}={quoted(value)}\n" for number, value in enumerate(values)]
    (folder / "shell.env").write_bytes("".join(lines).encode())
    wanted = " ".join(f'"$X{number}"' for number in range(len(values)))
    done = subprocess.run(
        ["bash", "-euc", f". ./shell.env; for one in {wanted}; do printf '%s\\0' \"$one\"; done"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    assert done.stdout.decode().split("\0")[:-1] == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("local   # where data is\nX=1", "local"),
        ("'a # b' # c", "a # b"),
        ('"a\\tb"', "a\tb"),
        ("", ""),
        ("a'b'", "a'b'"),
        ("${HOME}/x", "${HOME}/x"),
    ],
)
def test_what_people_write_is_read_as_well(tmp_path: Path, text: str, value: str) -> None:
    assert unquoted(text) == value
    (tmp_path / ".env").write_text(f"A={text}\n", encoding="utf-8")
    assert dotenv_values(tmp_path / ".env", interpolate=False)["A"] == value


def test_values_that_need_no_quotes_have_none() -> None:
    plain = ["", "3306", "https://shop.example:8080/v1", "a-b_c/d.e", "30,90d", "a@b.io"]
    assert [quoted(value) for value in plain] == plain
