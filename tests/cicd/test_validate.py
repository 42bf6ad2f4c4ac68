"""`ci/validate.py`: runs the Polster that the project pins, and nothing else of that name."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from polster_core.rendering import render
from tests import machine
from tests.cicd.steps import machine_variables

UV = """
echo "$*" >>uv.log
case "$*" in *lineage*) echo "<svg/>" ;; *"polster validate"*) exit {code} ;; esac
"""
COMMIT = "git+https://git.example/polster@" + "a1" * 20
FULL = "{wheel}#sha256={digest}"


def run(folder: Path, install: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a stand-in for uv; `install` is what `[tool.polster]` says."""
    machine.stand_in(folder / "bin", "uv", UV.format(code=code))
    wheel = folder / "polster-1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    known = {"wheel": wheel.as_uri(), "digest": hashlib.sha256(b"a wheel").hexdigest()}
    settings = f"[tool.polster]\n{install.format(**known)}\n"
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    (folder / "ci").mkdir(exist_ok=True)
    script = folder / "ci" / "validate.py"
    script.write_text(render("polster_core", "templates/cicd/ci/validate.py", {}), encoding="utf-8")
    path = f"{folder / 'bin'}{os.pathsep}{machine_variables()['PATH']}"
    return subprocess.run(
        [sys.executable, "ci/validate.py"],
        check=False,
        cwd=folder,
        env=machine_variables(**env, PATH=path),
        capture_output=True,
        encoding="utf-8",
    )


def asked(folder: Path) -> list[str]:
    """Return what uv was told, a line for each call."""
    log = folder / "uv.log"
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("platform", ["", "true"])
def test_passes_and_fails_as_polster_does(code: int, platform: str, tmp_path: Path) -> None:
    done = run(tmp_path, f'install = "{COMMIT}"', code, GITHUB_ACTIONS=platform)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "reports" / "lineage.svg").read_text(encoding="utf-8") == "<svg/>\n"
    words = "validate --format github" if platform else "validate"
    assert asked(tmp_path)[-1] == f"tool run --quiet --from {COMMIT} polster {words}"


def test_c5_without_a_source_it_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, 'version = "1.0"')
    assert done.returncode == 0
    assert done.stdout.startswith("polster validate is left out: [tool.polster] has no `install`")
    assert asked(tmp_path) == [], "nothing is installed"


@pytest.mark.parametrize(
    ("install", "words"),
    [
        ("polster==1.0", "is not pinned"),
        ("polster", "is not pinned"),
        ("git+https://git.example/polster@main", "is not pinned"),
        ("{wheel}", "is not pinned"),
        ("{wheel}#sha256=" + "0" * 64, "not the one in [tool.polster] install"),
    ],
)
def test_c5_nothing_is_installed_that_is_not_what_was_pinned(
    install: str, words: str, tmp_path: Path
) -> None:
    done = run(tmp_path, f'install = "{install}"')
    assert done.returncode == 1
    assert words in done.stderr
    assert asked(tmp_path) == []


def test_a_wheel_is_taken_once_it_is_what_was_pinned(tmp_path: Path) -> None:
    """And the plugins that the project needs are installed with it."""
    plugins = 'required_plugins = ["polster-plugin-s3>=0.1", "our-rules"]'
    done = run(tmp_path, f'install = "{FULL}"\n{plugins}')
    assert done.returncode == 0, done.stderr
    start, _, end = asked(tmp_path)[-1].partition("/")
    assert start == "tool run --quiet --from "
    named = "/polster-1.0-py3-none-any.whl --with polster-plugin-s3>=0.1 --with our-rules"
    assert end.endswith(f"{named} polster validate")
