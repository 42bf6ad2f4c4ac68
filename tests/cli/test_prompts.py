"""`polster init` in a terminal: it asks for what was not given, and Ctrl-C is always safe."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pexpect
import pytest

from polster_core.project import manifest
from tests.cli.test_init import NO_GIT_CONFIG, NOT_LOCAL
from tests.conftest import Install, names

PLUGIN = """
from polster_core.hookspecs import hookimpl
from polster_core.types import CicdGenerator, Option, RuntimePart, StorageBackend

@hookimpl
def polster_storage_backends():
    yield StorageBackend(
        name="s3",
        summary="Amazon S3",
        runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="s3"),),
        options=(
            Option(name="bucket", help="The bucket.", question="Which bucket?", required=True),
            Option(name="region", help="The region.", choices=("eu", "us"), default="us",
                   question="Which region?"),
            Option(name="key", help="The key.", question="The key?", secret=True),
            Option(name="quiet", help="Never asked for."),
        ),
    )

@hookimpl
def polster_cicd_generators():
    yield CicdGenerator(name="jenkins", summary="Jenkins", host="gitlab")
"""
DOWN = "j"
# This terminal does not answer when asked where its cursor is, which prompts would wait for.
PLAIN_TERMINAL = {"TERM": "xterm", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1"}
ONLY_LOCAL = {"POLSTER_DISABLE_PLUGINS": NOT_LOCAL}
Answers = list[tuple[str, str]]
# Every question, in order, with an answer that leads to the next one.
ALL: Answers = [
    ("What is the project called?", "shop\r"),
    ("Where is data kept?", f"{DOWN}\r"),
    ("Generate a CI/CD pipeline?", f"{DOWN}\r"),
    ("Which bucket?", "orders\r"),
    ("Which region?", "\r"),
    ("The key?", "hunter2\r"),
    ("Write sample assets?", "n\r"),
    ("Initialize git?", "\r"),
]


@pytest.fixture
def site(install: Install, tmp_path: Path) -> Mapping[str, str]:
    """Lay out a plugin with a storage backend and a pipeline; return what makes it installed."""
    install("polster-plugin-s3", PLUGIN)
    return {**ONLY_LOCAL, "PYTHONPATH": str(tmp_path / "site/polster-plugin-s3")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an empty folder to work in."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


class Terminal:
    """A person at a terminal."""

    def __init__(self, *args: str, cwd: Path, env: Mapping[str, str]) -> None:
        """Type a command."""
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "polster_core", *args],
            cwd=str(cwd),
            env={**os.environ, **PLAIN_TERMINAL, **NO_GIT_CONFIG, **env},
            encoding="utf-8",
            dimensions=(40, 120),
            timeout=120,
        )

    def answer(self, answers: Answers) -> None:
        """Wait for each question, then press its keys."""
        for question, keys in answers:
            self.child.expect_exact(question)
            self.child.send(keys)

    def end(self) -> tuple[int, str]:
        """Return the exit code and what was shown since the last answer."""
        self.child.expect(pexpect.EOF)
        shown = str(self.child.before)
        self.child.close()
        return int(self.child.exitstatus), shown


def test_everything_is_asked_for(home: Path, site: Mapping[str, str]) -> None:
    terminal = Terminal("init", "--no-setup", cwd=home, env=site)
    terminal.answer(ALL)
    code, shown = terminal.end()

    assert code == 0
    assert "Never asked for" not in shown
    assert "hunter2" not in shown
    assert manifest.load(home / "shop").answers == {
        "cicd": "jenkins",
        "runtime": "vendored",
        "s3-bucket": "orders",
        "s3-region": "us",
        "sample-assets": "false",
        "storage": "s3",
    }
    assert (home / "shop/.git").is_dir()


def test_what_was_given_is_not_asked_for(home: Path, site: Mapping[str, str]) -> None:
    given = ["--storage", "s3", "--cicd", "none", "--s3-bucket", "b", "--s3-region", "eu"]
    given += ["--s3-key", "k", "--no-sample-assets", "--no-git", "--no-setup"]
    terminal = Terminal("init", "shop", *given, cwd=home, env=site)
    code, shown = terminal.end()
    assert (code, "?" in shown) == (0, False)


TYPED = ("What is the project called?", "Which bucket?", "The key?")  # others ignore Ctrl-D


@pytest.mark.parametrize(
    ("at", "key"),
    [
        *((at, "\x03") for at in range(len(ALL))),
        *((at, "\x04") for at, (question, _) in enumerate(ALL) if question in TYPED),
    ],
)
def test_leaving_at_any_question_changes_nothing(
    at: int, key: str, home: Path, site: Mapping[str, str]
) -> None:
    terminal = Terminal("init", "--no-setup", cwd=home, env=site)
    terminal.answer([*ALL[:at], (ALL[at][0], key)])
    code, shown = terminal.end()
    assert code == 130
    assert shown.endswith("error: interrupted\r\n")
    assert names(home) == []


def test_a_bad_name_is_explained_and_asked_for_again(home: Path) -> None:
    given = ("--no-setup", "--no-git", "--no-sample-assets")
    terminal = Terminal("init", *given, cwd=home, env=ONLY_LOCAL)
    terminal.answer([("called?", "class\r"), ("it is a word of the Python language", "\x15shop\r")])
    code, _ = terminal.end()
    assert code == 0
    assert (home / "shop/README.md").is_file()


def test_a_bad_name_on_the_line_is_refused_before_anything_is_asked(home: Path) -> None:
    code, shown = Terminal("init", "class", cwd=home, env={}).end()
    assert code == 2
    assert "?" not in shown


def test_a_piped_answer_is_no_terminal(home: Path) -> None:
    """Input or output that is no terminal: defaults, no questions."""
    command = f"{sys.executable} -m polster_core init shop --no-setup --no-git"
    child = pexpect.spawn("bash", ["-c", f"{command} < /dev/null"], cwd=str(home), encoding="utf-8")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "?" not in str(child.before)
