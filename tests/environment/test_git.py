"""`--remote`: a repository at a host, through the host's own program.

The programs stand in for the real ones: they check what they are told and make a real, bare
repository on disk, to which real git pushes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from polster_core.environment.git import HOSTS
from tests import machine
from tests.cli.test_init import NO_GIT_CONFIG
from tests.conftest import Install

GH = """
case "$1 $2" in
"auth status") exit 0 ;;
"repo create") [ "$*" = "repo create shop --private --source . --remote origin --push" ] || exit 7
    git init --quiet --bare "$REMOTES/$3.git"
    git remote add origin "$REMOTES/$3.git" && git push --quiet --set-upstream origin HEAD ;;
esac
"""
GLAB = """
case "$1 $2" in
"auth status") exit 0 ;;
"repo create") [ "$*" = "repo create --name shop --private --defaultBranch main" ] || exit 7
    git init --quiet --bare "$REMOTES/$4.git" && git remote add origin "$REMOTES/$4.git" ;;
esac
"""
AZ = """
case "$1 $2" in
"account show") exit 0 ;;
"repos create") [ "$*" = "repos create --name shop --query remoteUrl --output tsv" ] || exit 7
    git init --quiet --bare "$REMOTES/$4.git" && echo "$REMOTES/$4.git" ;;
esac
"""
LOGGED_OUT = 'echo "not logged in" >&2; exit 1'
PLUGIN = """
from polster_core.hookspecs import hookimpl
from polster_core.types import CicdGenerator

@hookimpl
def polster_cicd_generators():
    yield CicdGenerator(name="jenkins", summary="Jenkins", host="azure-devops")
"""

Tools = Callable[..., Mapping[str, str]]


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """Make a PATH with git and the given programs, and nothing else."""

    def install(**scripts: str) -> Mapping[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("git", "sh", "env"):
            (folder / name).symlink_to(_on_path(name))
        for name, script in scripts.items():
            machine.stand_in(folder, name, script)
        (tmp_path / "remotes").mkdir()
        return {**NO_GIT_CONFIG, "PATH": str(folder), "REMOTES": str(tmp_path / "remotes")}

    return install


def _on_path(name: str) -> str:
    found = shutil.which(name)
    assert found is not None
    return found


def init(tmp_path: Path, env: Mapping[str, str], *args: str) -> tuple[int, str, str]:
    (tmp_path / "work").mkdir()
    given = ("init", "shop", "--no-setup", "--remote", *args)
    done = machine.polster(*given, cwd=tmp_path / "work", env=env)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["gh", "glab", "az"])
def test_creates_a_private_repository_and_pushes(name: str, tmp_path: Path, tools: Tools) -> None:
    env = tools(**{name: {"gh": GH, "glab": GLAB, "az": AZ}[name]})
    code, stdout, stderr = init(tmp_path, env)

    bare = tmp_path / "remotes/shop.git"
    assert (code, stderr) == (0, "")
    assert f"  remote  {bare}\n" in stdout
    git: list[str | Path] = ["git", "-C", tmp_path / "work/shop"]
    assert machine.run([*git, "rev-parse", "HEAD", "@{upstream}"]).stdout.count("\n") == 2
    here, there = machine.run([*git, "rev-parse", "HEAD", "origin/main"]).stdout.split()
    assert here == there == (bare / "refs/heads/main").read_text().strip()


def test_takes_the_first_where_somebody_is_logged_in(tmp_path: Path, tools: Tools) -> None:
    code, stdout, _ = init(tmp_path, tools(gh=LOGGED_OUT, glab=GLAB, az=AZ), "--dry-run")
    assert code == 0
    assert "  remote  create a private repository at gitlab with glab, and push\n" in stdout
    assert not list((tmp_path / "remotes").iterdir())


def test_goes_where_the_pipeline_runs(tmp_path: Path, tools: Tools, install: Install) -> None:
    install("polster-plugin-jenkins", PLUGIN)
    site = {"PYTHONPATH": str(tmp_path / "site/polster-plugin-jenkins")}
    env = {**tools(gh=GH, az=AZ), **site}
    code, stdout, stderr = init(tmp_path, env, "--platform", "azure-devops")
    assert (code, stderr.count("\n")) == (0, 1)
    assert stderr.startswith("note: the pipeline leaves `polster validate` out until `install` in ")
    assert str(tmp_path / "remotes/shop.git") in stdout


@pytest.mark.parametrize(
    ("scripts", "stderr"),
    [
        (
            {},
            (
                "error: no remote repository: none of gh, glab, az is installed\n"
                "hint: install gh, then  gh auth login && cd shop && gh repo create shop --private "
                "--source . --remote origin --push\n"
            ),
        ),
        (
            {"glab": LOGGED_OUT, "az": LOGGED_OUT},
            (
                "error: no remote repository: not logged in: run `glab auth login` or `az login`\n"
                "hint: glab auth login && cd shop && glab repo create --name shop --private "
                "--defaultBranch main && git push --quiet --set-upstream origin main\n"
            ),
        ),
        (
            {"az": LOGGED_OUT},
            (
                "error: no remote repository: not logged in: run `az login`\n"
                "hint: az login && cd shop && az repos create --name shop --query remoteUrl "
                "--output tsv && git remote add origin URL && "
                "git push --quiet --set-upstream origin main\n"
            ),
        ),
        (
            {"gh": f"[ $1 = auth ] && exit 0; {LOGGED_OUT}"},
            (
                "error: gh did not create a repository (exit code 1)\n"
                "  not logged in\n"
                "hint: try again with  cd shop && gh repo create shop --private "
                "--source . --remote origin --push\n"
            ),
        ),
        (
            {"az": '[ $1 = account ] || echo "$REMOTES/nowhere.git"'},
            None,
        ),
    ],
)
def test_what_to_do_when_it_does_not_work(
    scripts: Mapping[str, str], stderr: str | None, tmp_path: Path, tools: Tools
) -> None:
    code, stdout, said = init(tmp_path, tools(**scripts))
    assert code == 1
    assert "  git     initialized, first commit" in stdout
    assert (tmp_path / "work/shop/.git").is_dir(), "the project stays"
    if stderr is not None:
        assert said == stderr
    else:
        lines = said.splitlines()
        assert lines[0] == "error: git push failed (exit code 128)"
        assert lines[-1].startswith("hint: by hand:  cd shop && git push --quiet --set-upstream")


def test_every_host_has_words_for_all_of_it() -> None:
    assert [host.name for host in HOSTS] == ["github", "gitlab", "azure-devops"]
    for host in HOSTS:
        assert "shop" in host.creation("shop")
