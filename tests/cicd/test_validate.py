"""`ci/validate.sh`: as strict as Polster where it can be installed, and quiet where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from polster_core.rendering import render
from tests import machine
from tests.cicd.steps import machine_variables

UV = """
echo "$*" >>uv.log
case "$*" in *lineage*) echo "<svg/>" ;; *"polster validate"*) exit {code} ;; esac
"""


def run(folder: Path, uv: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script with a stand-in for uv."""
    machine.stand_in(folder / "bin", "uv", uv)
    script = folder / "validate.sh"
    variables = {"polster_version": "1.0"}
    text = render("polster_core", "templates/cicd/ci/validate.sh.jinja", variables)
    script.write_text(text, encoding="utf-8")
    path = f"{folder / 'bin'}{os.pathsep}{machine_variables()['PATH']}"
    return subprocess.run(
        ["sh", script],
        check=False,
        cwd=folder,
        env=machine_variables(POLSTER="polster==1.0", **env, PATH=path),
        capture_output=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize(
    ("env", "arguments"),
    [({}, "validate"), ({"GITHUB_ACTIONS": "true"}, "validate --format github")],
)
def test_passes_and_fails_as_polster_does(
    code: int, env: Mapping[str, str], arguments: str, tmp_path: Path
) -> None:
    done = run(tmp_path, UV.format(code=code), env)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "reports" / "lineage.svg").read_text(encoding="utf-8") == "<svg/>\n"
    last = (tmp_path / "uv.log").read_text(encoding="utf-8").splitlines()[-1]
    assert last == f"tool run --quiet --from polster==1.0 polster {arguments}"


def test_says_so_where_polster_cannot_be_installed(tmp_path: Path) -> None:
    done = run(tmp_path, "exit 1", {})
    assert (done.returncode, done.stdout) == (
        0,
        "warning: 'polster==1.0' cannot be installed here: not validated, only tested\n",
    )


def test_the_plugins_that_the_project_needs_are_installed_with_it(tmp_path: Path) -> None:
    """And those that are its own files may run: it is the project's own pipeline."""
    settings = '[tool.polster]\nrequired_plugins = ["polster-plugin-s3>=0.1", "our-rules"]\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    python = f'case "$*" in run*) shift 3; exec "{sys.executable}" "$@" ;; esac\n'
    uv = f"{python}echo $POLSTER_TRUST_PROJECT >>uv.log{UV.format(code=0)}"
    done = run(tmp_path, uv, {})
    assert done.returncode == 0, done.stderr
    listed = (tmp_path / "reports" / "plugins.txt").read_text(encoding="utf-8").split()
    assert listed == ["polster-plugin-s3>=0.1", "our-rules"]
    lines = (tmp_path / "uv.log").read_text(encoding="utf-8").splitlines()
    with_them = "--with-requirements reports/plugins.txt"
    assert lines[-2:] == [
        "1",
        f"tool run --quiet --from polster==1.0 {with_them} polster validate",
    ]
