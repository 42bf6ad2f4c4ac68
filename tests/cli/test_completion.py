"""`polster completion`: what real shells complete."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from click.shell_completion import FishComplete

from polster_core.cli.completion import RUN_FLAGS, VARIABLE
from polster_core.cli.main import polster as group
from tests import machine
from tests.handmade import polster

COUNT = 10_000
READY = "ready>"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with the samples, and a function that is an asset without a core file."""
    folder = tmp_path_factory.mktemp("projects")
    polster(folder, "init", "shop", "--no-git", "--no-setup").succeeded()
    deep = folder / "shop/src/orchestration/assets/gold/sales"
    deep.mkdir()
    (deep / "run_gold_quarters.py").touch()
    (folder / "shop/src/core/helpers.py").touch()
    return folder / "shop"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a PATH with `polster` first."""
    folder = tmp_path_factory.mktemp("bin")
    machine.stand_in(folder, "polster", f'exec {shlex.quote(sys.executable)} -m polster_core "$@"')
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def run(shell: list[str], text: str, cwd: Path, path: str) -> list[str]:
    """Let a shell run a text; return the lines that it prints."""
    program = shutil.which(shell[0])
    assert program, f"{shell[0]} is missing: python -m tests.prepare"
    done = machine.run([program, *shell[1:], text], cwd=cwd, env={"PATH": path})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def in_bash(line: str, cwd: Path, path: str) -> list[str]:
    """Complete a line as readline asks for it, words split as it splits them."""
    words = re.findall(r"[:=]|[^\s:=]+", line)
    if line.endswith((" ", ":")):
        words.append("")
    listed = " ".join(map(shlex.quote, words))
    text = (
        'eval "$(polster completion bash)"; compopt() { :; }; '
        f"COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _polster_completion polster; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return run(["bash", "--norc", "-c"], text, cwd, path)


ASKED = {
    "polster rem": ["remove-asset"],
    "polster preview bro": ["bronze_customers", "bronze_example"],
    "polster remove-asset gold_": ["gold_example", "gold_quarters"],
    "polster add-asset --layer s": ["silver"],
    "polster add-asset --dependencies silver_example,bronze_c": ["silver_example,bronze_customers"],
    "polster init x --storage a": ["adls"],
    "polster init x --cicd git": ["github-actions", "gitlab-ci"],
    "polster add-cicd gith": ["github-actions"],
    "polster add-asset --template my": ["mysql"],
    "polster storage add ad": ["adls"],
    "polster state reset silver": ["silver_example"],
    "polster validate --dry": ["--dry-run"],
    "polster run --sta": ["--status"],
    "polster run --select +gold_e": ["+gold_example"],
    "polster completion f": ["fish"],
}


@pytest.mark.parametrize("line", ASKED)
def test_what_is_completed(line: str, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setenv("PWD", str(shop))
    *args, begun = line.split()[1:]
    found = FishComplete(group, {}, "polster", VARIABLE).get_completions(args, begun)
    assert [one.value for one in found] == ASKED[line]


def test_the_flags_of_run_are_those_of_the_program(shop: Path) -> None:
    done = machine.python(shop / "run_polster.py", "--help", cwd=shop)
    assert set(re.findall(r"--[a-z][\w-]+", done.stdout)) == set(RUN_FLAGS)


def test_bash(shop: Path, programs: str) -> None:
    line = "polster preview bro"
    assert in_bash(line, shop, programs) == ASKED[line]
    # The word before the colon is there already.
    assert in_bash("polster list-assets --select layer:s", shop, programs) == ["silver"]
    assert in_bash("polster list-assets --select layer:", shop, programs) == [
        *("bronze", "silver", "gold")
    ]


def test_fish(shop: Path, programs: str) -> None:
    text = "polster completion fish | source; complete -C 'polster add-asset --template my'"
    (found,) = run(["fish", "-N", "-c"], text, shop, programs)
    name, _, help_ = found.partition("\t")
    assert name == "mysql"
    assert help_


def completed_alone(folder: Path, words: str) -> tuple[list[str], list[str]]:
    """Complete the third word in a process of its own; return the answers, and its modules."""
    code = (
        "import sys; from polster_core.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    asked = {
        "_POLSTER_COMPLETE": "bash_complete",
        "COMP_CWORD": "2",
        "COMP_WORDS": words,
        "PWD": str(folder),
    }
    done = machine.python("-c", code, cwd=folder, env=asked)
    return done.stdout.split(), done.stderr.split()


def test_a_flag_of_a_command_that_plugins_have_a_part_in(shop: Path) -> None:
    """Plugins are loaded, and nothing that only the command itself needs."""
    words, modules = completed_alone(shop, "polster add-asset --ta")
    assert words == ["--table"]
    heavy = {"importlib.metadata", "libcst", "jinja2", "packaging", "tomlkit", "rich"}
    heavy |= {"polster_core.assets.add", "polster_core.plan.apply", "polster_core.scaffold"}
    assert heavy.isdisjoint(modules)


def test_ten_thousand_assets(tmp_path: Path) -> None:
    """All of them in a process that imports next to nothing: no plugin, no parser, no Dagster."""
    (tmp_path / "pyproject.toml").write_text("[tool.polster]\n")
    core = tmp_path / "src/core"
    core.mkdir(parents=True)
    for number in range(COUNT):
        (core / f"silver_{number:05}.py").touch()
    words, modules = completed_alone(tmp_path, "polster preview silver_")
    assert len(words) == COUNT
    heavy = {"polars", "dagster", "libcst", "jinja2", "pluggy", "packaging", "tomlkit", "rich"}
    assert heavy.isdisjoint(modules)


@pytest.fixture(params=["bash", "zsh"])
def terminal(
    request: pytest.FixtureRequest, shop: Path, programs: str
) -> Iterator[pexpect.spawn[str]]:
    """Start a shell in a terminal, with the script loaded."""
    start = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"]}[request.param]
    variables = {"PATH": programs, "TERM": "dumb", "PS1": READY, "HOME": str(shop.parent)}
    child = pexpect.spawn(
        shutil.which(request.param) or "",
        start,
        cwd=str(shop),
        env={**os.environ, **variables},
        encoding="utf-8",
        dimensions=(40, 120),
        timeout=120,
    )
    child.expect_exact(READY)
    if request.param == "zsh":
        child.sendline("autoload -U compinit; compinit -u -D; PS1=ready'>'; unsetopt zle_bracketed")
        child.expect_exact(READY)
    child.sendline(f'PS1={READY[:-1]}">"; eval "$(polster completion {request.param})"')
    child.expect_exact(READY)
    yield child
    child.close(force=True)


def test_the_tab_key(terminal: pexpect.spawn[str]) -> None:
    terminal.send("echo done; polster preview bronze_c\t")
    terminal.expect_exact("bronze_customers")
