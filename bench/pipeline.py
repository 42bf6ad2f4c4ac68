"""Time of whole pipelines on a warm machine, beside the same steps by hand in one folder.

    python bench/pipeline.py [--rounds 3]

A push to `main` of a project with the samples: install, lint, validate, test; install, materialize,
pack; commit and push. By hand there is one clone and one installation, and nothing is reported.
Needs Polster with its `test` extra. GitHub's and Azure's pipelines run in the step runners of
the tests; caches are warm, and the environment is kept between the jobs. The best round counts.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.cicd import azure, github
from tests.cicd.steps import checkout, git, machine_variables
from tests.generated.projects import initialise

ROOT = Path(__file__).parents[1]
BY_HAND = """
uv sync -q --locked --extra dev
uv run --no-sync ruff check -q .
uv tool run -q --from "$POLSTER" polster validate
uv run --no-sync pytest -q
uv run --no-sync python run_polster.py
git add data && git commit -q -m data && git push -q origin HEAD:main
"""
AT_MOST = 15.0
"""Seconds of our own that a pipeline may take."""


def prepared(folder: Path) -> tuple[Path, dict[str, str]]:
    """Return a bare repository and the variables of a machine that has everything."""
    project, origin = folder / "shop", folder / "origin.git"
    initialise(project, "--sample-assets", "--cicd", "github-actions,azure-devops")
    env = {"UV_PYTHON": sys.executable, "UV_PROJECT_ENVIRONMENT": str(folder / "venv")}
    wheel = ["uv", "build", "-q", "--wheel", "--out-dir", str(folder / "wheel"), str(ROOT)]
    for command in (wheel, ["uv", "lock", "-q"], ["uv", "sync", "-q", "--extra", "dev"]):
        subprocess.run(command, check=True, cwd=project, env={**os.environ, **env})
    git("init", "-q", "-b", "main", cwd=project)
    git("add", "--all", cwd=project)
    git("commit", "-q", "-m", "start", cwd=project)
    git("clone", "-q", "--bare", project, origin, cwd=project)
    cache = subprocess.run(["uv", "cache", "dir"], check=True, capture_output=True, text=True)
    env["UV_CACHE_DIR"] = cache.stdout.strip()
    (built,) = (folder / "wheel").glob("*.whl")
    return origin, {**env, "POLSTER": str(built)}


def by_hand(origin: Path, folder: Path, env: Mapping[str, str]) -> None:
    """Do what the pipeline does, as a person would."""
    checkout(origin, folder, "refs/heads/main")
    names = {
        f"GIT_{who}_{what}": "p@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    subprocess.run(
        ["bash", "-ec", BY_HAND],
        check=True,
        cwd=folder,
        env=machine_variables(**{**env, **names, "HOME": str(folder)}),
        stdout=subprocess.DEVNULL,
    )


def on_github(origin: Path, folder: Path, env: Mapping[str, str]) -> None:
    """Run the GitHub workflow."""
    done = github.run(origin, folder, github.Event(machine=env))
    if done.results["persist"] != "success":
        sys.exit(done.told())


def on_azure(origin: Path, folder: Path, env: Mapping[str, str]) -> None:
    """Run the Azure pipeline."""
    done = azure.run(origin, folder, azure.Event(machine=env))
    if done.results["persist"] != "Succeeded":
        sys.exit(done.told())


PIPELINES = {"GitHub Actions": on_github, "Azure DevOps": on_azure}


def measured(what: Callable[[], None]) -> tuple[float, float]:
    """Return seconds and CPU seconds of the processes that something starts."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    what()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def main() -> None:
    """Print one line for each way, the first round left out: it makes byte code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    ways = {"by hand": by_hand, **PIPELINES}
    best: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        origin, env = prepared(folder)
        for number in range(rounds + 1):
            for way, run in ways.items():
                target = folder / f"{way}-{number}"
                took = measured(lambda run=run, target=target: run(origin, target, env))
                if number:
                    best[way] = min(best.get(way, took), took)
    for way, (seconds, cpu) in best.items():
        own, busy = (now - hand for now, hand in zip((seconds, cpu), best["by hand"], strict=True))
        note = f"   {own:+5.1f} s ({busy:+.1f} s CPU), at most {AT_MOST:.0f} s"
        print(f"{way:<16} {seconds:6.1f} s   {cpu:6.1f} s CPU{note if way in PIPELINES else ''}")


if __name__ == "__main__":
    main()
