"""`polster setup` and `polster run`: the project's own environment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pexpect
import pytest

from tests import machine
from tests.conftest import names

SCRIPT = """
import os, sys
print(sys.argv[1:], sys.prefix, os.getcwd(), os.environ.get("PYTHONPATH"))
sys.exit(int(os.environ.get("CODE", 0)))
"""
# What uv does, without the network: it makes .venv unless there is one, and says a few lines.
SYNC = f"""
[ "$1" = venv ] && {{ printf '%s ' "$@" > uv-venv; exit; }}
[ "$1" = sync ] || exit 9
echo "Resolved 2 packages" >&2
printf '%s ' "$@" > uv-args
env | grep -E '^(VIRTUAL_ENV|PYTHONPATH|PYTHONHOME|UV_PROJECT_ENVIRONMENT)=' > uv-env
[ -x .venv/bin/python ] || "{sys.executable}" -m venv --without-pip .venv
site=$(echo .venv/lib/python3.*/site-packages)
for name in dagster polars; do
    info=$site/$name-1.0.dist-info
    mkdir -p $info
    printf 'Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n' $name > $info/METADATA
done
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the smallest thing that is a project."""
    root = tmp_path / "shop"
    (root / "src/core").mkdir(parents=True)
    dev = "[project.optional-dependencies]\ndev = []\n"
    (root / "pyproject.toml").write_text(f"[tool.polster]\n{dev}")
    (root / "run_polster.py").write_text(SCRIPT)
    return root


Uv = Callable[[str], Mapping[str, str]]


@pytest.fixture
def uv(tmp_path: Path) -> Uv:
    """Put a uv on PATH that does what the script says; return the variables for it."""

    def put(script: str = SYNC) -> Mapping[str, str]:
        machine.stand_in(tmp_path / "bin", "uv", script)
        return {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    return put


def python(project: Path) -> Path:
    return project / ".venv/bin/python"


def test_makes_the_environment_with_uv(project: Path, uv: Uv) -> None:
    loud = {"VIRTUAL_ENV": "/elsewhere", "PYTHONPATH": ""}
    done = machine.polster("setup", cwd=project / "src/core", env={**uv(SYNC), **loud})

    assert (done.returncode, done.stderr) == (0, "")
    said = r"  create  \.venv  dagster 1\.0, polars 1\.0 \(\d+\.\d s, uv\)\n"
    assert re.fullmatch(said, done.stdout)
    assert (project / "uv-env").read_text() == "", "another Python is none of its business"
    assert (project / "uv-args").read_text() == ("sync --inexact --extra dev ")
    made = f"venv --seed --python {sys.executable} {project / '.venv'} "
    assert (project / "uv-venv").read_text() == made
    assert python(project).exists()


def test_brings_it_up_to_date_and_keeps_what_else_is_in_it(project: Path, uv: Uv) -> None:
    machine.polster("setup", cwd=project, env=uv(SYNC))
    (project / ".venv/mine").touch()
    machine.polster("setup", cwd=project, env=uv(SYNC))
    assert (project / ".venv/mine").exists()
    assert (project / "uv-args").read_text() == "sync --inexact --extra dev "


def test_force_recreates_it(project: Path, uv: Uv) -> None:
    machine.polster("setup", cwd=project, env=uv(SYNC))
    (project / ".venv/mine").touch()
    assert machine.polster("setup", "--force", cwd=project, env=uv(SYNC)).returncode == 0
    assert not (project / ".venv/mine").exists()
    assert not [name for name in names(project) if name.startswith(".venv.old")]


@pytest.mark.parametrize(
    "damage",
    [
        lambda venv: (venv / "bin/python").unlink(),
        lambda venv: [(venv / "bin/python").unlink(), (venv / "bin/python").symlink_to("gone")],
        lambda venv: [(venv / "bin/python").unlink(), (venv / "bin/python").write_text("no")],
        lambda venv: [
            (venv / "bin/python").unlink(),
            machine.stand_in(venv / "bin", "python", "echo 3 8"),
        ],
        lambda venv: [
            (venv / "bin/python").unlink(),
            machine.stand_in(venv / "bin", "python", "exit 1"),
        ],
    ],
    ids=["no python", "dangling", "not executable", "too old", "crashes"],
)
def test_a_broken_environment_is_recreated(
    project: Path, uv: Uv, damage: Callable[[Path], object]
) -> None:
    machine.polster("setup", cwd=project, env=uv(SYNC))
    (project / ".venv/mine").touch()
    damage(project / ".venv")
    assert machine.polster("setup", cwd=project, env=uv(SYNC)).returncode == 0
    assert not (project / ".venv/mine").exists()
    assert machine.run([python(project), "--version"]).returncode == 0


@pytest.mark.parametrize("force", [["--force"], []])
def test_a_failure_shows_the_last_lines_and_gives_the_old_one_back(
    project: Path, uv: Uv, force: list[str]
) -> None:
    machine.polster("setup", cwd=project, env=uv(SYNC))
    (project / ".venv/mine").touch()
    lines = "for i in 1 2 3 4 5 6 7 8; do echo line $i; done"
    broken = f"[ $1 = sync ] || exit 0; {lines}; rm -rf .venv/lib; echo; exit 2"
    done = machine.polster("setup", *force, cwd=project / "src", env=uv(broken))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: installing failed: uv sync: exit code 2\n"
        "  line 3\n  line 4\n  line 5\n  line 6\n  line 7\n  line 8\n"
        "hint: try again with  polster setup\n"
    )
    assert (project / ".venv/mine").exists()
    assert (project / ".venv/lib").exists() is bool(force)


def test_a_killed_installer(project: Path, uv: Uv) -> None:
    done = machine.polster("setup", cwd=project.parent, env=uv("kill -9 $$"))
    assert done.returncode == 1
    done = machine.polster("setup", cwd=project, env=uv("echo working; kill -9 $$"))
    assert (done.returncode, done.stderr) == (
        1,
        (
            "error: installing failed: uv venv: killed by signal 9\n  working\n"
            "hint: try again with  polster setup\n"
        ),
    )


def test_init_leaves_a_complete_project_when_the_installer_is_killed(
    tmp_path: Path, uv: Uv
) -> None:
    done = machine.polster("init", "shop", cwd=tmp_path, env=uv("kill -9 $$"))
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("  create  shop/")
    assert done.stdout.splitlines()[1].startswith("  git     initialized, first commit")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == (
        "error: installing failed: uv venv: killed by signal 9\n"
        "hint: try again with  cd shop && polster setup\n"
    )
    assert (tmp_path / "shop/.git").is_dir()
    assert machine.polster("setup", cwd=tmp_path / "shop", env=uv(SYNC)).returncode == 0


SLOW = """
trap 'echo interrupted >> got; exit 130' INT
mkdir -p .venv; touch .venv/half installing
i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done
"""


def terminal(*args: str, cwd: Path, env: Mapping[str, str]) -> pexpect.spawn[str]:
    return pexpect.spawn(
        sys.executable,
        ["-m", "polster_core", *args],
        cwd=str(cwd),
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **env},
        encoding="utf-8",
        dimensions=(40, 120),
        timeout=120,
    )


def test_ctrl_c_in_the_middle_of_the_installer(project: Path, uv: Uv) -> None:
    child = terminal("setup", cwd=project, env=uv(SLOW))
    child.expect_exact("create  .venv  installing  1 s")
    child.sendcontrol("c")
    child.expect_exact(
        "error: interrupted while installing\r\nhint: try again with  polster setup\r\n"
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert (project / "got").read_text() == "interrupted\n", "once, and it could tidy up"
    assert machine.polster("setup", cwd=project, env=uv(SYNC)).returncode == 0


def test_ctrl_c_in_the_middle_of_init_s_installer(tmp_path: Path, uv: Uv) -> None:
    given = ("init", "shop", "--git", "--no-sample-assets", "--storage", "local", "--cicd", "none")
    child = terminal(*given, cwd=tmp_path, env=uv(SLOW))
    child.expect_exact("create  shop/.venv  installing  1 s")
    child.sendcontrol("c")
    child.expect_exact(
        "error: interrupted while installing\r\n"
        "  not done: create shop/.venv with uv\r\n"
        "  not done: git initialize, first commit\r\n"
        "hint: try again with  cd shop && polster setup\r\n"
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert (tmp_path / "shop/.polster/manifest.json").is_file()


def test_an_installer_that_ignores_ctrl_c_is_ended(project: Path, uv: Uv) -> None:
    """Told once more, without a terminal: SIGTERM to Polster ends the installer as well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "polster_core", "setup"],
        cwd=project,
        env={**os.environ, **uv("trap '' INT; echo $$ > pid; touch installing; exec sleep 600")},
        stdout=subprocess.DEVNULL,
    )
    while not (project / "installing").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int((project / "pid").read_text()), 0)


def test_progress_is_one_line_that_goes_away(project: Path, uv: Uv) -> None:
    child = terminal("setup", cwd=project, env=uv(f"echo noise; sleep 0.6\n{SYNC}"))
    child.expect_exact("\r\x1b[2K  create  .venv  installing  1 s")
    child.expect(r"\r\x1b\[2K  create  \.venv  dagster 1\.0, polars 1\.0 \(.* s, uv\)\r\n")
    assert "noise" not in str(child.before)
    child.expect(pexpect.EOF)


def test_verbose_shows_what_the_installer_says(project: Path, uv: Uv) -> None:
    done = machine.polster("setup", "--verbose", cwd=project, env=uv(SYNC))
    assert done.stderr == "Resolved 2 packages\n"


def test_dry_run(project: Path, uv: Uv) -> None:
    done = machine.polster("setup", "--dry-run", cwd=project, env=uv(SYNC))
    assert (done.returncode, done.stdout) == (
        0,
        "  create  .venv  there is no .venv; with uv\nnothing was changed (--dry-run)\n",
    )
    assert not (project / ".venv").exists()
    machine.polster("setup", cwd=project, env=uv(SYNC))
    for flags, words in (([], "brought up to date; with uv"), (["--force"], "recreated; with uv")):
        done = machine.polster("setup", "--dry-run", *flags, cwd=project, env=uv(SYNC))
        assert done.stdout.splitlines()[0] == f"  create  .venv  {words}"


def test_install_uv_does_nothing_where_it_is(project: Path, uv: Uv) -> None:
    done = machine.polster("setup", "--install-uv", cwd=project, env=uv(SYNC))
    assert done.stdout.splitlines()[0] == "  install  uv is there already"


def test_outside_of_a_project(tmp_path: Path) -> None:
    for command in ("setup", "run"):
        done = machine.polster(command, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (
            1,
            (
                f"error: {tmp_path} is not in a Polster project\n"
                "hint: go to one, or make one with  polster init NAME\n"
            ),
        )


def test_run_hands_everything_on(project: Path, uv: Uv) -> None:
    machine.polster("setup", cwd=project, env=uv(SYNC))
    args = ("run", "--select", "+gold_x", "--json", "--help", "--debug", "-x", "a b")
    done = machine.polster(*args, cwd=project / "src/core", env={"CODE": "7", "PYTHONPATH": "x"})
    assert done.returncode == 7
    assert done.stdout == f"{list(args[1:])} {project / '.venv'} {project / 'src/core'} None\n"


def test_run_without_an_environment_or_a_script(project: Path, uv: Uv) -> None:
    done = machine.polster("run", cwd=project)
    assert (done.returncode, done.stderr) == (
        1,
        "error: there is no .venv\nhint: make one with  polster setup\n",
    )
    machine.polster("setup", cwd=project, env=uv(SYNC))
    (project / "run_polster.py").unlink()
    done = machine.polster("run", cwd=project)
    assert done.stderr.startswith("error: run_polster.py is missing\n")


def test_run_gets_ctrl_c_once(project: Path, uv: Uv) -> None:
    machine.polster("setup", cwd=project, env=uv(SYNC))
    (project / "run_polster.py").write_text(
        "import time\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n"
        "except KeyboardInterrupt:\n"
        "    time.sleep(0.5)\n"
        "    print('tidied up', flush=True)\n"
        "    raise SystemExit(130)\n"
    )
    child = terminal("run", cwd=project, env={})
    child.expect_exact("ready")
    child.sendcontrol("c")
    child.expect_exact("tidied up\r\n")
    child.expect(pexpect.EOF)
    child.close()
    assert str(child.before) == ""
    assert child.exitstatus == 130
