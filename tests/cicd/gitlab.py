"""Run a GitLab pipeline with gitlab-ci-local, in its shell executor, against a bare repository."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cicd import tools
from tests.cicd.steps import TIMEOUT, Run, git, machine_variables

TOKEN = "glcbt-a-token-that-nobody-may-see"  # noqa: S105
ONE_BY_ONE = ("--concurrency", "1")
"""Jobs of the same name in two child pipelines share one folder of artifacts here."""
_RESULT = re.compile(r"^ ?(PASS|FAIL)\s+([\w-]+)", re.MULTILINE)
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Event:
    """Why a pipeline runs, and what is set at GitLab."""

    source: str = "push"
    branch: str = "main"
    variables: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    """Variables of the machine that runs it, which win."""


def run(origin: Path, folder: Path, event: Event) -> Run:
    """Run the pipeline of the branch in a new clone, where the shell executor works."""
    work = folder / "work"
    git("clone", "-q", "-b", event.branch, origin.as_uri(), work, cwd=origin)
    # It takes host, group and project from an address at GitLab; nothing is sent there.
    git("remote", "set-url", "origin", "https://gitlab.example/acme/shop.git", cwd=work)
    # As a variable of the project: child pipelines have these, too.
    (work / ".gitlab-ci-local-variables.yml").write_text(
        f"POLSTER_REMOTE: {origin.as_uri()}\n", encoding="utf-8"
    )
    done = Run(folder)
    variables = {
        "CI_COMMIT_BRANCH": event.branch,
        "CI_COMMIT_REF_NAME": event.branch,
        "CI_JOB_TOKEN": TOKEN,
        "CI_PIPELINE_SOURCE": event.source,
        "POLSTER_REMOTE": origin.as_uri(),
        **event.variables,
        **event.machine,
    }
    if event.source == "merge_request_event":
        del variables["CI_COMMIT_BRANCH"]
    given = [part for name, text in variables.items() for part in ("--variable", f"{name}={text}")]
    answer = subprocess.run(
        tools.gitlab("--force-shell-executor", "--no-shell-isolation", *ONE_BY_ONE, *given),
        check=False,
        cwd=work,
        env=machine_variables(HOME=str(folder), **event.machine),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT,
    )
    text = _COLORS.sub("", answer.stdout)
    done.say(text)
    done.results = {name: word for word, name in _RESULT.findall(text)}
    if (work / "reports").exists():
        shutil.copytree(work / "reports", done.artifacts)
    return done
