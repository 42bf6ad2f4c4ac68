"""The command line as such: start-up, help, errors, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

import polster_core
from polster_core.cli.commands import COMMANDS
from polster_core.cli.console import report
from polster_core.cli.main import Session, polster
from polster_core.errors import PolsterError
from tests import machine

# Modules that only commands which need them may import: each takes longer than all of `--help`.
HEAVY = {
    "adlfs",
    "dagster",
    "fsspec",
    "jinja2",
    "libcst",
    "polars",
    "prompt_toolkit",
    "questionary",
    "rich",
    "yaml",
}
ALLOWED = {"click", "pluggy", "polster_core"}
STANDARD = set(sys.stdlib_module_names) | {"__main__", "__mp_main__"}


def imported(*args: str, cwd: Path) -> set[str]:
    """Return the top-level modules that a command line imports."""
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from polster_core.cli.main import dispatch\n"
        f"dispatch({list(args)!r})\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before}, file=sys.stderr)"
    )
    done = machine.python("-c", code, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("args", [["--help"], ["--version"], []], ids=" ".join)
def test_help_imports_only_what_it_needs(args: list[str], tmp_path: Path) -> None:
    assert imported(*args, cwd=tmp_path) - STANDARD <= ALLOWED


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_nothing_heavy(name: str, tmp_path: Path) -> None:
    """`run` has no help of its own: it stops where it finds no project."""
    assert not imported(name, "--help", cwd=tmp_path) & HEAVY


def test_listing_plugins_imports_nothing_heavy(tmp_path: Path) -> None:
    assert not imported("plugins", cwd=tmp_path) & HEAVY


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_table_says_what_the_command_says(name: str) -> None:
    command = polster.get_command(click.Context(polster, obj=Session()), name)
    assert command is not None
    assert command.name == name
    assert command.help is not None
    assert command.help.splitlines()[0] == COMMANDS[name]


def test_every_command_module_is_in_the_table() -> None:
    folder = Path(polster_core.__file__).parent / "cli" / "commands"
    modules = {
        path.stem.replace("_", "-")
        for path in folder.glob("*.py")
        if "\ncommand = " in path.read_text() or "\ndef command(" in path.read_text()
    }
    assert modules == set(COMMANDS)


def test_help(tmp_path: Path) -> None:
    done = machine.polster("--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Usage: polster [OPTIONS] COMMAND [ARGS]..."
    width = max(map(len, COMMANDS))
    assert [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()] == lines[
        lines.index("Commands:") + 1 :
    ]


def test_no_command_shows_the_help_and_is_an_error(tmp_path: Path) -> None:
    done = machine.polster(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: polster [OPTIONS]")


def test_version(tmp_path: Path) -> None:
    done = machine.polster("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"polster {polster_core.__version__}\n")


@pytest.mark.parametrize(
    ("args", "stderr"),
    [
        (
            ["plugin"],
            (
                "error: there is no command plugin. Did you mean plugins?\n"
                "hint: see them all with  polster --help\n"
            ),
        ),
        (
            ["teleport"],
            "error: there is no command teleport\nhint: see them all with  polster --help\n",
        ),
        (
            ["--verison"],
            (
                "error: there is no option --verison. Did you mean --version?\n"
                "hint: see  polster --help\n"
            ),
        ),
        (
            ["add-asset", "--deps", "orders"],
            (
                "error: there is no option --deps. Did you mean --dependencies?\n"
                "hint: see  polster add-asset --help\n"
            ),
        ),
        (
            ["plugins", "--fromat", "json"],
            (
                "error: there is no option --fromat. Did you mean --format?\n"
                "hint: see  polster plugins --help\n"
            ),
        ),
        (
            ["plugins", "--format", "xml"],
            (
                "error: invalid value for '--format': 'xml' is not one of 'table', 'json'\n"
                "hint: see  polster plugins --help\n"
            ),
        ),
        (
            ["plugins", "too", "much"],
            "error: no such command 'too'\nhint: see  polster plugins --help\n",
        ),
    ],
)
def test_slips_are_answered_in_two_lines(args: list[str], stderr: str, tmp_path: Path) -> None:
    done = machine.polster(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", stderr)


@pytest.mark.parametrize("args", [["--debug", "setup"], ["setup", "--debug"]])
def test_debug_shows_where_it_happened_before_and_after_the_command(
    args: list[str], tmp_path: Path
) -> None:
    done = machine.polster(*args, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert f"error: {tmp_path} is not in a Polster project\n" in done.stderr
    quiet = machine.polster("setup", cwd=tmp_path)
    assert (quiet.returncode, quiet.stderr.count("\n")) == (1, 2)
    assert "Traceback" not in quiet.stderr


def test_colour_is_for_terminals(tmp_path: Path) -> None:
    import pexpect

    for variables, colored in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
        child = pexpect.spawn(
            sys.executable,
            ["-m", "polster_core", "teleport"],
            cwd=str(tmp_path),
            env={**env, **variables},
            encoding="utf-8",
        )
        shown = child.read()
        child.close()
        assert ("\x1b[" in shown) is colored, variables
        assert "there is no command teleport" in shown
    assert "\x1b[" not in machine.polster("teleport", cwd=tmp_path).stderr


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    for args in ("--help", "plugins"):
        done = machine.run(
            [
                "bash",
                "-c",
                f"{sys.executable} -m polster_core {args} | true; echo ${{PIPESTATUS[0]}}",
            ],
            cwd=tmp_path,
            env={"PYTHONUNBUFFERED": "1"},
        )
        assert (done.stdout, done.stderr) == ("0\n", "")


def test_what_nobody_foresaw_is_one_line_and_how_to_see_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report(ZeroDivisionError("division by zero")) == 1
    assert capsys.readouterr().err == (
        "error: ZeroDivisionError: division by zero\n"
        "hint: this is a fault of Polster or of a plugin; run it again with --debug to see where\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (EOFError(), 130, "error: interrupted\n"),
        (SystemExit(3), 3, ""),
        (SystemExit("text"), 1, ""),
        (SystemExit(), 0, ""),
        (PermissionError(13, "Permission denied", "x.py"), 1, "error: x.py: Permission denied\n"),
        (
            PolsterError("it broke", details=["here", "there"], hint="fix it"),
            1,
            "error: it broke\n  here\n  there\nhint: fix it\n",
        ),
    ],
)
def test_every_ending_has_its_code_and_words(
    error: BaseException, code: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == code
    assert capsys.readouterr() == ("", shown)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_being_told_to_stop_tidies_up_first(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    """The same way out as Ctrl-C's: files half written are taken back."""
    script = (
        "import sys, time\n"
        "from pathlib import Path, PurePosixPath\n"
        "from polster_core.cli import main as cli\n"
        "from polster_core.plan.apply import apply\n"
        "from polster_core.plan.definition import draft\n"
        "from polster_core.types import NewFile\n"
        "def slow(*_):\n"
        "    write = Path.write_bytes\n"
        "    def wait(path, content):\n"
        "        write(path, content)\n"
        "        Path('ready').touch()\n"
        "        time.sleep(600)\n"
        "    Path.write_bytes = wait\n"
        "    apply(draft(Path('shop'), [NewFile(path=PurePosixPath('a'), text='')]))\n"
        "cli.dispatch = slow\n"
        "cli.main()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(120) == code
    assert [path.name for path in tmp_path.iterdir()] == ["ready"]


def test_shell_completion(tmp_path: Path) -> None:
    done = machine.polster(
        cwd=tmp_path,
        env={
            "_POLSTER_COMPLETE": "bash_complete",
            "COMP_WORDS": "polster plug",
            "COMP_CWORD": "1",
        },
    )
    assert (done.returncode, done.stdout) == (0, "plugins\n")
