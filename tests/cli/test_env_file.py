"""What commands write into `.env` is read back exactly, and by its owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.handmade import polster

AWKWARD = [
    "a #b",
    " both ends ",
    "it's",
    '"quoted"',
    "${HOME}/$HOME",
    "back\\slash\\",
    "two\nlines",
    "# all",
    "'\"`$(id)\\",
]


@pytest.mark.parametrize("value", AWKWARD)
def test_the_answers_of_init_are_read_back(tmp_path: Path, value: str) -> None:
    options = ("--storage", "adls", "--adls-account-name", "shop", "--adls-container", "raw")
    polster(
        tmp_path, "init", "shop", "--no-git", "--no-setup", *options, "--adls-base-path", value
    ).succeeded()
    for name in (".env", ".env.example"):
        found = dotenv_values(tmp_path / "shop" / name)
        assert found["ADLS_BASE_PATH"] == value, name
        assert (found["STORAGE_BACKEND"], found["ADLS_CONTAINER"]) == ("adls", "raw")


ADD = ("add-asset", "--layer", "bronze", "--name", "x", "--template", "mysql", "--table", "t")


def test_p10_what_an_editor_of_windows_wrote_is_not_spoilt(tmp_path: Path) -> None:
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    env = tmp_path / "shop/.env"
    env.write_text("MYSQL_HOST=db\n", encoding="utf-16")
    before = env.read_bytes()
    done = polster(tmp_path / "shop", *ADD)
    assert done.code == 1
    assert ".env is UTF-16, and lines cannot be added to it" in done.err
    assert env.read_bytes() == before
    env.write_text("MYSQL_HOST=db\n", encoding="utf-8-sig")
    polster(tmp_path / "shop", *ADD).succeeded()
    assert env.read_text(encoding="utf-8-sig").count("MYSQL_HOST=") == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o664, 0o600), (0o400, 0o400)])
@pytest.mark.parametrize(
    "command",
    [
        ("storage", "add", "adls"),
        ADD,
    ],
    ids=lambda command: command[0],
)
def test_s3_every_command_that_writes_env_closes_it_to_others(
    tmp_path: Path, command: tuple[str, ...], before: int, after: int
) -> None:
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    env = tmp_path / "shop/.env"
    env.chmod(before)
    done = polster(tmp_path / "shop", *command)
    if before == 0o400:  # it may be read only: that is refused, or root's to change
        assert done.code == 0 or "write-protected" in done.err
    else:
        done.succeeded()
    assert stat.S_IMODE(env.stat().st_mode) == after
    said = "note: .env could be read by others: now by its owner only\n"
    assert (said in done.err) == (before != after)
