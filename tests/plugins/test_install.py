"""`polster plugins install`: the command that fits how Polster was installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import polster_core
from polster_core.environment import own_install
from polster_core.environment.own_install import install_command
from polster_core.testing import RunPolster

OWN = f"polster=={polster_core.__version__}"
RECEIPT = """
[tool]
requirements = [
    { name = "polster", specifier = ">=0.2" },
    { name = "polster-plugin-s3", extras = ["runtime"], specifier = "==0.2" },
    { name = "our-rules", directory = "/src/our-rules" },
]
"""


def test_beside_uv_tool_what_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uv-receipt.toml").write_text(RECEIPT)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    command = install_command(["polster-plugin-dav"], "0.2")
    assert command[:5] == ["uv", "tool", "install", "--force", "polster==0.2"]
    assert command[5:] == [
        *("--with", "polster-plugin-s3[runtime]==0.2"),
        *("--with", "/src/our-rules"),
        *("--with", "polster-plugin-dav"),
    ]


def test_beside_pipx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pipx_metadata.json").write_text("{}")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert install_command(["a", "b"], "0.2") == ["pipx", "inject", "polster", "a", "b"]


def test_in_an_environment_without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_install, "find_spec", lambda _: None)
    command = install_command(["a"], "0.2")
    assert command[1:] == ["pip", "install", "--python", sys.executable, "a", "polster==0.2"]


def test_the_command_is_shown(run_polster: RunPolster) -> None:
    ran = run_polster("plugins", "install", "polster-plugin-s3", "--dry-run").succeeded()
    assert ran.out.rstrip().endswith(f"install polster-plugin-s3 {OWN}")
