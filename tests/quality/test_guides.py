"""Every command of the pages on quality and automation, carried out in a new project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from polster_core.environment.venv import folder
from tests.generated import warm
from tests.generated.conftest import SELDOM, MakeProject, uv
from tests.generated.projects import Generated, execute, told

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
REFUSED = {
    'MAX_REJECTED=0.01 polster run || echo "exit code $?"': "exit code 1",
    'BRONZE_CRON="at noon" polster run --status || echo "exit code $?"': "exit code 2",
}
SITE = "import site, sys; print(*[path for path in site.getsitepackages()])"


def with_environment(shop: Generated) -> Generated:
    """Give a project a .venv, as `polster setup` would, out of what is installed already.

    Its Python is forked off a warm one, except for the UI.
    """
    venv = folder(shop.root)
    uv("venv", "-q", "-p", str(shop.interpreter), str(venv))
    (beside,) = venv.glob("lib/python*/site-packages")
    installed = subprocess.check_output([shop.interpreter, "-c", SITE], encoding="utf-8").split()
    lines = [*installed, str(shop.root / "src")]
    (beside / "project.pth").write_text("\n".join([*lines, SELDOM]), encoding="utf-8")
    python = venv / "bin" / "python"
    warm.stand_in(
        python, shop.interpreter, python.rename(python.with_name("cold")), shop.root / "src"
    )
    return shop


@pytest.mark.parametrize("page", ["quality", "automation"])
def test_commands(project: MakeProject, page: str) -> None:
    shop = with_environment(project())
    path = [folder(shop.root) / "bin", Path(sys.executable).parent, os.environ["PATH"]]
    env = shop.variables({"PATH": os.pathsep.join(map(str, path))})
    del env["PYTHONPATH"]
    text = (GUIDES / f"{page}.md").read_text("utf-8")
    commands = re.findall(r"^```sh\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert commands
    for command in commands:
        done = execute(["bash", "-c", command], cwd=shop.root, env=env)
        assert done.returncode == 0, f"{command}\n{told(done)}"
        assert REFUSED.get(command, "") in done.stdout
