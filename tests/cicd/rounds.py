"""Five pipelines of a platform at once, for many rounds, with the data in Git LFS: nothing is lost.

    python -m tests.cicd.rounds github|azure|gitlab [ROUNDS]      20, unless said otherwise

Runs by hand, since it takes minutes: the tests have the same for `ci/data.py` alone, in three
rounds. Each pipeline is that of a project, run in the platform's interpreter; uv is a stand-in that
writes a snapshot. Main is protected by a hook. Afterwards a fresh clone of the branch of the data
has every snapshot with its content, and main is what it was. Exits with 1 where that is not so.
"""
# ruff: noqa: T201

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import machine
from tests.cicd import azure, github, gitlab
from tests.cicd.conftest import ALL, PROTECTED
from tests.cicd.steps import Run, git, machine_variables

PUSHERS = 5
LFS = "*.parquet filter=lfs diff=lfs merge=lfs -text\n"
UV = """
mkdir -p reports && touch reports/junit.xml
case "$*" in
*ci/run.py*)
    name=$(date +%s%N)-$$ folder=data/bronze/orders
    mkdir -p $folder && printf 'rows of %s' "$name" >"$folder/$name.parquet" ;;
esac
"""
Runner = Callable[[Path, Path, Mapping[str, str]], Run]
NO_BRANCH = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "branch.main.remote",
    "GIT_CONFIG_VALUE_0": "polster",
}
"""A runner of GitLab checks out a commit; gitlab-ci-local needs a branch, which git-lfs follows."""
GOOD = {"success", "Succeeded", "PASS"}
PLATFORMS: Mapping[str, Runner] = {
    "github": lambda origin, folder, env: github.run(
        origin, folder, github.Event("schedule", machine=env)
    ),
    "azure": lambda origin, folder, env: azure.run(
        origin, folder, azure.Event("Schedule", machine=env)
    ),
    "gitlab": lambda origin, folder, env: gitlab.run(
        origin, folder, gitlab.Event("schedule", machine={**env, **NO_BRANCH})
    ),
}


def main(platform: str, rounds: int) -> int:
    """Run them; return 1 where something was lost."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        origin, tip = _origin(folder)
        machine.stand_in(folder / "stub", "uv", UV)
        env = {"PATH": f"{folder / 'stub'}{os.pathsep}{machine_variables()['PATH']}"}
        failed = [
            done
            for number in range(rounds)
            for done in _round(origin, folder / str(number), env, PLATFORMS[platform])
            if not {done.results.get(job) for job in ("materialize", "persist")} <= GOOD
        ]
        for done in failed:
            print(done.told())
        back = folder / "back"
        git("clone", "-q", "-b", "data", origin.as_uri(), back, cwd=folder)
        found = {path.stem: path.read_text("utf-8") for path in back.rglob("*.parquet")}
        pointers = git("show", f"data:data/bronze/orders/{min(found)}.parquet", cwd=origin)
        whole = all(text == f"rows of {name}" for name, text in found.items())
        same = git("rev-parse", "main", cwd=origin) == tip
        commits = len(git("log", "--format=%h", "data", cwd=origin).splitlines())
    print(
        f"{platform}: {len(found)} of {PUSHERS * rounds} snapshots, {len(failed)} runs failed,",
        f"{commits} commits, main {'as it was' if same else 'CHANGED'},",
        f"{'all contents right' if whole else 'CONTENT LOST'}, {time.monotonic() - began:.0f} s",
    )
    in_lfs = pointers.startswith("version https://git-lfs.")
    return int(bool(failed) or not (whole and same and in_lfs and len(found) == PUSHERS * rounds))


def _round(origin: Path, folder: Path, env: Mapping[str, str], run: Runner) -> list[Run]:
    with ThreadPoolExecutor(PUSHERS) as pool:
        return [*pool.map(lambda one: run(origin, folder / str(one), env), range(PUSHERS))]


def _origin(folder: Path) -> tuple[Path, str]:
    """Make a repository whose main nobody may push to, and whose data is in Git LFS."""
    plain = ("--no-setup", "--no-git", "--no-sample-assets", "--cicd", ALL)
    done = machine.polster("init", "shop", *plain, cwd=folder)
    if done.returncode:
        raise RuntimeError(done.stderr)
    shop, origin = folder / "shop", folder / "origin.git"
    git("init", "-q", "-b", "main", cwd=shop)
    git("add", "--all", cwd=shop)
    git("commit", "-q", "-m", "start", cwd=shop)
    git("switch", "-q", "--orphan", "data", cwd=shop)
    (shop / ".gitattributes").write_text(LFS, encoding="utf-8")
    git("add", ".gitattributes", cwd=shop)
    git("commit", "-q", "-m", "lfs", cwd=shop)
    git("clone", "-q", "--bare", shop, origin, cwd=folder)
    git("symbolic-ref", "HEAD", "refs/heads/main", cwd=origin)
    git("config", "receive.advertisePushOptions", "true", cwd=origin)
    hook = origin / "hooks" / "update"
    hook.write_text(PROTECTED, encoding="utf-8")
    hook.chmod(0o755)
    return origin, git("rev-parse", "main", cwd=origin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 20))
