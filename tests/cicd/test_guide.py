"""What the page says can be done, done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import machine
from tests.cicd.test_add_cicd import init
from tests.conftest import Install, names
from tests.docs.markdown import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "cicd.md").read_text(encoding="utf-8")


def test_commands(tmp_path: Path) -> None:
    root = init(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    commands = [block.text for block in blocks(PAGE) if block.language == "sh"]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(
            ["bash", "-ec", command], check=True, cwd=root, env={**os.environ, "PATH": path}
        )
    assert {".gitlab-ci.yml", ".github/workflows/polster.yml"} <= set(names(root))
    assert "azure-pipelines.yml" not in names(root)


def test_a_platform_of_ones_own_shares_what_is_the_same(tmp_path: Path, install: Install) -> None:
    (source,) = [block.text for block in blocks(PAGE) if block.language == "python"]
    install("polster-plugin-jenkins", source)
    env = {"PYTHONPATH": str(tmp_path / "site/polster-plugin-jenkins")}
    given = ("init", "shop", "--no-setup", "--no-git", "--cicd", "jenkins,gitlab")
    done = machine.polster_here(*given, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(" what to install: docs/cicd/gitlab-ci.md\n")
    text = (tmp_path / "shop" / "Jenkinsfile").read_text(encoding="utf-8")
    assert text == "// shop: python3 ci/validate.py\n"
    assert {".gitlab-ci.yml", "ci/run.py", "ci/data.py"} <= set(names(tmp_path / "shop"))
