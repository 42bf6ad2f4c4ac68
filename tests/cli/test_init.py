"""`polster init` without a terminal: what it writes, says and refuses."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

import pytest

import polster_core
from polster_core.builtin import project as skeleton
from polster_core.model.ownership import Owner, owner_of
from polster_core.project import manifest
from polster_core.project.base import read_base
from polster_core.testing.projects import tree
from tests import machine
from tests.conftest import names

# A git that knows nobody and is configured by nothing, whatever this machine's says.
NO_GIT_CONFIG = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
PLAIN = ("--no-setup", "--no-git")
# Built-in plugins that offer choices beyond the embedded default.
NOT_LOCAL = "storage-adls,cicd-github,cicd-azure,cicd-gitlab"


def files(root: Path) -> int:
    """Count what a user sees: every file but Polster's own notes."""
    return sum(not name.startswith((".polster/", ".git/")) for name in tree(root))


def init(*args: str, cwd: Path, **more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return machine.polster("init", *args, cwd=cwd, env={**NO_GIT_CONFIG, **more.get("env", {})})


def git(*args: str, cwd: Path) -> str:
    done = machine.run(["git", *args], cwd=cwd, env=NO_GIT_CONFIG)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_asks_nothing_without_a_terminal_and_says_what_is_next(tmp_path: Path) -> None:
    done = init("shop", "--no-setup", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"  create  shop/       {files(tmp_path / 'shop')} files\n"
        "  git     initialized, first commit (as Polster: git knows no user.email)\n"
        "\n"
        "Done. Next:\n"
        "  cd shop\n"
        "  polster setup       install what it needs\n"
        "  polster run         run the sample pipeline\n"
        "  polster run --ui    and watch it in the browser\n"
        "  polster add-asset   add your own\n"
    )
    assert names(tmp_path)[0] == "shop"


def test_the_project_is_what_the_templates_say(tmp_path: Path) -> None:
    init("My_Shop", *PLAIN, cwd=tmp_path)
    root = tmp_path / "My_Shop"

    pyproject = tomllib.loads((root / "pyproject.toml").read_text())
    assert pyproject["project"]["name"] == "my-shop"
    assert {"dev", "postgres"} == set(pyproject["project"]["optional-dependencies"])
    requirements = pyproject["project"]["dependencies"]
    assert requirements == sorted(requirements)
    for wanted in ("dagster>=", "polars>=", "fsspec>=", "dataframely>="):
        assert any(requirement.startswith(wanted) for requirement in requirements)
    assert not any("polster" in requirement for requirement in requirements), "no lock-in"
    for path in (
        ".gitignore",
        ".env",
        ".env.example",
        "README.md",
        "run_polster.py",
        "data/bronze/.gitkeep",
        "src/core/storage.py",
        "src/polster_runtime/storage/backends/local.py",
        "src/orchestration/definitions.py",
        "src/core/bronze_example.py",
        "src/orchestration/assets/gold/run_gold_example.py",
    ):
        assert (root / path).is_file(), path
    assert not [name for name in names(root) if name.endswith(".jinja") or "dot_" in name]


def test_samples_are_a_choice(tmp_path: Path) -> None:
    done = init("shop", *PLAIN, "--no-sample-assets", cwd=tmp_path)

    assert done.returncode == 0
    assert done.stdout.endswith(
        "Done. Next:\n"
        "  cd shop\n"
        "  polster setup       install what it needs\n"
        "  polster add-asset   add your own\n"
    )
    assert not list((tmp_path / "shop/src/core").glob("bronze_*"))
    assert manifest.load(tmp_path / "shop").answers["sample-assets"] == "false"


def test_what_was_generated_is_remembered(tmp_path: Path) -> None:
    init("shop", *PLAIN, cwd=tmp_path)
    root = tmp_path / "shop"
    found = manifest.load(root)

    assert found.answers == {
        "cicd": "none",
        "runtime": "vendored",
        "sample-assets": "true",
        "storage": "local",
    }
    assert set(found.plugins) == {"connectors", "project", "samples", "storage-local"}
    recorded, kept = {str(path) for path in found.files}, read_base(root)
    owners = {name: owner_of(PurePosixPath(name)) for name in tree(root)}
    assert recorded == {
        name
        for name, owner in owners.items()
        if owner is not Owner.TEAM and not name.startswith(".polster/")
    }
    for path, entry in found.files.items():
        content = (root / path).read_bytes()
        assert manifest.digest(content) == entry.digest
        assert kept.get(path) == (content if owners[str(path)] is Owner.SHARED else None)
    assert {entry.origin for entry in found.files.values()} <= set(found.plugins)


def test_the_same_command_writes_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    init("shop", *PLAIN, cwd=tmp_path / "a")
    init("shop", *PLAIN, cwd=tmp_path / "b")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_git_has_everything_but_secrets_in_its_first_commit(tmp_path: Path) -> None:
    init("shop", "--no-setup", cwd=tmp_path)
    root = tmp_path / "shop"

    assert git("status", "--porcelain", cwd=root) == ""
    assert git("branch", "--show-current", cwd=root) == "main\n"
    assert git("log", "--format=%an %ae %s", cwd=root) == (
        "Polster polster@localhost Start the project with Polster\n"
    )
    committed = set(git("ls-files", cwd=root).splitlines())
    assert ".env" not in committed
    assert {".gitignore", ".env.example", ".polster/manifest.json"} <= committed


def test_git_uses_the_name_that_it_knows(tmp_path: Path) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Ada\nemail = ada@example.com\n[commit]\ngpgsign = true\n")
    done = init("shop", "--no-setup", cwd=tmp_path, env={"GIT_CONFIG_GLOBAL": str(config)})
    assert "  git     initialized, first commit\n" in done.stdout
    assert git("log", "--format=%ae", cwd=tmp_path / "shop") == "ada@example.com\n"


def test_no_repository_inside_another_unless_asked_for(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    said = init("shop", "--no-setup", cwd=tmp_path).stdout
    assert "  git     no repository of its own: the folder is in that of .\n" in said
    assert not (tmp_path / "shop/.git").exists()
    init("other", "--no-setup", "--git", cwd=tmp_path)
    assert (tmp_path / "other/.git").is_dir()


def test_a_git_that_fails_leaves_the_project_and_says_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "bin"
    machine.stand_in(path, "git", 'echo "fatal: no luck" >&2; exit 128')
    (tmp_path / "here").mkdir()
    done = machine.polster(
        "init",
        "shop",
        "--no-setup",
        "--git",
        cwd=tmp_path / "here",
        env={"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 1
    assert done.stdout == f"  create  shop/       {files(tmp_path / 'here/shop')} files\n"
    assert done.stderr == (
        "error: git init failed (exit code 128)\n"
        "  fatal: no luck\n"
        'hint: by hand:  cd shop && git init && git add --all && git commit -m "Polster project"\n'
    )


@pytest.mark.parametrize("flags", [PLAIN, ("--no-setup",), ("--dry-run",)])
def test_a_second_run_refuses_and_changes_nothing(flags: tuple[str, ...], tmp_path: Path) -> None:
    init("shop", *PLAIN, cwd=tmp_path)
    before = tree(tmp_path)
    done = init("shop", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: shop/ is a Polster project already; nothing was changed\n"
        "hint: choose another name; or  polster upgrade  in it\n"
    )
    assert tree(tmp_path) == before


def test_what_is_conflicts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        done = init(name, *PLAIN, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (
            1,
            f"error: {name} exists and is not a directory; nothing was changed\n",
        )
    assert tree(tmp_path) == {"file": "mine", "link": "-> nowhere"}


def test_an_empty_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir(mode=0o700)
    assert init("shop", *PLAIN, cwd=tmp_path).returncode == 0
    assert stat.S_IMODE((tmp_path / "shop").stat().st_mode) == 0o700
    assert (tmp_path / "shop/README.md").is_file()


@pytest.mark.parametrize(
    ("args", "stderr"),
    [
        ([], "error: missing argument PATH\nhint: for example  polster init shop\n"),
        (
            ["./my shop"],
            (
                "error: 'my shop' cannot be a project's name: use letters, digits, - and _, start "
                "with a letter, and end with a letter or digit\n"
                "hint: polster init './my shop' --name my-shop\n"
            ),
        ),
        (
            ["x", "--name", "../x"],
            (
                "error: '../x' cannot be a project's name: use letters, digits, - and _, start "
                "with a letter, and end with a letter or digit\nhint: for example  x\n"
            ),
        ),
        (
            ["class"],
            (
                "error: 'class' cannot be a project's name: it is a word of the Python language\n"
                "hint: for example  class-data\n"
            ),
        ),
        (
            [""],
            "error: '' cannot be a project's name: it is empty\nhint: for example  shop\n",
        ),
        (
            ["shop", "--strage", "local"],
            (
                "error: there is no option --strage. Did you mean --storage?\n"
                "hint: see  polster init --help\n"
            ),
        ),
        (
            ["shop", "--run", "--no-setup"],
            "error: --run needs the environment: leave out --no-setup\n",
        ),
        (
            ["shop", "--start-dagster", "--no-setup"],
            "error: --start-dagster needs the environment: leave out --no-setup\n",
        ),
        (
            ["shop", "--remote", "--no-git"],
            "error: --remote needs a repository: leave out --no-git\n",
        ),
    ],
)
def test_bad_input_is_one_clear_line_and_changes_nothing(
    args: list[str], stderr: str, tmp_path: Path
) -> None:
    done = init(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", stderr)
    assert names(tmp_path) == []


def test_an_unknown_backend_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = init("shop", "--storage", "lokal", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    reason, hint = done.stderr.splitlines()
    assert reason == "error: there is no storage lokal. Did you mean local?"
    assert hint.startswith("hint: there is  ")
    assert "local" in hint
    assert names(tmp_path) == []


def test_options_of_plugins_that_are_not_there_are_not_shown(tmp_path: Path) -> None:
    only_local = {"POLSTER_DISABLE_PLUGINS": NOT_LOCAL}
    shown = init("--help", cwd=tmp_path, env=only_local).stdout
    assert "--storage [local]" in shown
    assert "--sample-assets / --no-sample-assets" in shown
    assert "--cicd" not in shown
    assert "--platform" not in shown
    given = ("--cicd", "none", *PLAIN)
    assert init("shop", *given, cwd=tmp_path, env=only_local).returncode == 0
    done = init("two", "--cicd", "jenkins", cwd=tmp_path, env=only_local)
    assert (done.returncode, done.stderr) == (
        2,
        "error: there is no cicd jenkins\nhint: see  polster plugins\n",
    )
    done = init("two", "--platform", "github", cwd=tmp_path, env=only_local)
    assert (done.returncode, done.stderr) == (
        2,
        "error: no pipeline for github is installed\nhint: see  polster plugins\n",
    )


def test_v6_dry_run_is_a_summary_and_changes_nothing(tmp_path: Path) -> None:
    done = init("shop", "--dry-run", "--install-uv", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path) == []
    lines = done.stdout.splitlines()
    assert len(lines) < 100
    plan = lines[: lines.index("")]
    assert "  create  shop/run_polster.py" in [line.rstrip() for line in plan]
    assert plan[-2].startswith("  create  shop/.venv")
    assert plan[-1].split() == ["git", "initialize,", "first", "commit"]
    assert lines[-1] == "nothing was changed (--dry-run)"
    init("shop", *PLAIN, cwd=tmp_path)
    files = tree(tmp_path / "shop")
    shown = [
        line.split()[1] for line in plan if line.startswith("  create  ") and "venv" not in line
    ]
    for path in shown:
        below = [name for name in files if f"shop/{name}".startswith(path)]
        assert below
        if path.endswith("/"):
            rows = [line.split()[1:] for line in plan]
            assert [path, str(len(below)), "files"] in rows
    assert {name for name in files if not f"shop/{name}".startswith(tuple(shown))} == set()
    whole = init("two", "--dry-run", "--verbose", cwd=tmp_path)
    assert "+++ b/run_polster.py" in whole.stdout.splitlines()


# What uv does, without the network; and a run_polster.py that says how it was called.
RUNNER = f"""
"{sys.executable}" -m venv --without-pip .venv
echo 'import sys; print("ran with", sys.argv[1:]); sys.exit(3)' > run_polster.py
"""


@pytest.mark.parametrize("code", [0, 3])
def test_v6_what_is_next_is_said_after_the_run(code: int, tmp_path: Path) -> None:
    runner = RUNNER.replace("sys.exit(3)", f"sys.exit({code})")
    machine.stand_in(tmp_path / "bin", "uv", runner)
    path = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = init("shop", "--no-git", "--run", cwd=tmp_path, env=path)
    assert (done.returncode, done.stderr) == (code, "")
    _, _, after = done.stdout.partition("\nran with []\n")
    said = "\nDone. Next:\n  cd shop            \n" if code == 0 else ""
    assert after.replace(" ", "").startswith(said.replace(" ", ""))
    assert bool(after) == (code == 0)
    assert "  polster run  " not in done.stdout


@pytest.mark.parametrize(
    ("flags", "arguments"),
    [
        (["--start-dagster"], ["--no-materialize", "--ui"]),
        (["--run", "--start-dagster"], ["--ui"]),
    ],
)
def test_the_ui_comes_last_and_its_exit_code_counts(
    flags: list[str], arguments: list[str], tmp_path: Path
) -> None:
    machine.stand_in(tmp_path / "bin", "uv", RUNNER)
    path = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / "work").mkdir()
    done = init("shop", "--no-git", *flags, cwd=tmp_path / "work", env=path)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.endswith(f"add your own\n\nran with {arguments}\n")


def test_nothing_is_run_where_setting_up_failed(tmp_path: Path) -> None:
    machine.stand_in(tmp_path / "bin", "uv", "exit 1")
    path = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = init("shop", "--no-git", "--run", cwd=tmp_path, env=path)
    assert done.returncode == 1
    assert "Done" not in done.stdout
    assert done.stderr.endswith("hint: try again with  cd shop && polster setup\n")


def test_no_space_leaves_nothing(tmp_path: Path) -> None:
    done = machine.polster(
        "init", "shop", *PLAIN, cwd=tmp_path, setup=machine.no_file_longer_than(2000)
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: could not write: File too large\nhint: nothing was changed\n"
    assert names(tmp_path) == []


def test_a_read_only_folder(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o555)
    done = machine.polster(
        "init", "shop", *PLAIN, cwd=tmp_path / "home", setup=machine.bound_by_permissions
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: could not write: ")
    assert done.stderr.endswith(": Permission denied\nhint: nothing was changed\n")
    assert names(tmp_path) == ["home"]


SIGNAL_AT = """
import os, signal, sys
from pathlib import Path
from polster_core.cli.main import main
from polster_core.project.base import read_base
from polster_core.model.ownership import Owner, owner_of
number, at = getattr(signal, sys.argv[1]), int(sys.argv[2])
write, calls = Path.write_bytes, iter(range(10_000))
def write_bytes(path, content):
    if next(calls) == at:
        os.kill(os.getpid(), number)
    return write(path, content)
Path.write_bytes = write_bytes
sys.argv = ["polster", *sys.argv[3:]]
main()
"""


@pytest.mark.parametrize("at", [0, 1, 40, 100])
def test_killed_while_writing_it_leaves_nothing_and_the_next_run_tidies_up(
    at: int, tmp_path: Path
) -> None:
    done = machine.python("-c", SIGNAL_AT, "SIGKILL", str(at), "init", "shop", *PLAIN, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")
    assert not (tmp_path / "shop").exists()
    assert len(list(tmp_path.iterdir())) == 1

    assert init("shop", *PLAIN, cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


@pytest.mark.parametrize("at", [0, 40])
def test_ctrl_c_while_writing_leaves_nothing(at: int, tmp_path: Path) -> None:
    done = machine.python("-c", SIGNAL_AT, "SIGINT", str(at), "init", "shop", *PLAIN, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")
    assert names(tmp_path) == []


def test_it_never_writes_outside_of_its_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "work").mkdir()
    init("shop", *PLAIN, cwd=tmp_path / "work", env={"HOME": str(home), "XDG_CACHE_HOME": ""})
    assert names(home) == []
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["shop"]


def test_a_broken_plugin_is_one_line_and_harms_nothing(tmp_path: Path) -> None:
    disabled = init("shop", *PLAIN, cwd=tmp_path, env={"POLSTER_DISABLE_PLUGINS": "samples"})
    assert disabled.returncode == 0
    assert not (tmp_path / "shop/src/core/bronze_example.py").exists()
    done = init("two", *PLAIN, cwd=tmp_path, env={"POLSTER_DISABLE_PLUGINS": "storage-local"})
    assert (done.returncode, done.stderr) == (
        4,
        (
            f"error: storage local: the plugin storage-local (polster {polster_core.__version__}) "
            "is not used: "
            "it is disabled\nhint: see  polster plugins\n"
        ),
    )
    done = init("two", *PLAIN, cwd=tmp_path, env={"POLSTER_DISABLE_PLUGINS": "project"})
    assert done.returncode == 4
    assert "the plugin project is disabled" in done.stderr
    assert not (tmp_path / "two").exists()


def test_the_skeleton_comes_through_the_public_hooks() -> None:
    assert skeleton.polster_project_files.polster_impl  # type: ignore[attr-defined]


def test_json_manifest_is_readable_by_others(tmp_path: Path) -> None:
    init("shop", *PLAIN, cwd=tmp_path)
    found = json.loads((tmp_path / "shop/.polster/manifest.json").read_text())
    assert found["format"] == manifest.FORMAT
