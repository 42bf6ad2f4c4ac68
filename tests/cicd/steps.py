"""What the step runners of the platforms share: repositories, shells, and what came of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT = 900.0
"""Seconds after which a step hangs."""
_OF_THE_MACHINE = ("LANG", "LC_ALL", "PATH", "SSL_", "TMPDIR", "UV_", "PIP_")
"""Variables that a machine which runs pipelines has; nothing else of ours gets in."""


@dataclass
class Run:
    """A pipeline that ran: what became of its jobs, and everything that left the machine."""

    folder: Path
    results: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)

    @property
    def artifacts(self) -> Path:
        """Where artifacts are kept, a folder for each."""
        return self.folder / "artifacts"

    def artifact(self, name: str) -> str:
        """Return the text of a file of that name in some artifact."""
        (found,) = self.artifacts.rglob(name)
        return found.read_text(encoding="utf-8")

    def everything(self) -> bytes:
        """Return all bytes that left the machine: log, summaries, artifacts."""
        kept = [path.read_bytes() for path in sorted(self.artifacts.rglob("*")) if path.is_file()]
        return b"\n".join([*(text.encode() for text in (*self.log, *self.summaries)), *kept])

    def say(self, text: str) -> None:
        """Write to the log."""
        self.log.append(text)

    def told(self) -> str:
        """Return the log, for the message of a failed assertion."""
        return f"{self.results}\n" + "\n".join(self.log)


def machine_variables(**more: str) -> dict[str, str]:
    """Return the variables of a machine that runs pipelines, and more."""
    ours = {name: text for name, text in os.environ.items() if name.startswith(_OF_THE_MACHINE)}
    return {**ours, "CI": "true", "GIT_CONFIG_GLOBAL": os.devnull, "SOURCE_RETRIES": "0", **more}


def shell(
    run: Run, script: str, cwd: Path, env: Mapping[str, str], options: Sequence[str]
) -> tuple[int, str]:
    """Run a step as it stands in the pipeline's file."""
    done = subprocess.run(
        ["bash", *options, "-c", script],
        check=False,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT,
    )
    run.say(done.stdout)
    if done.returncode:
        run.say(f"exit code {done.returncode}")
    return done.returncode, done.stdout


def git(*args: str | Path, cwd: Path) -> str:
    """Run git and return what it said."""
    env = machine_variables(
        GIT_AUTHOR_NAME="a person",
        GIT_AUTHOR_EMAIL="person@example.com",
        GIT_COMMITTER_NAME="a person",
        GIT_COMMITTER_EMAIL="person@example.com",
    )
    done = subprocess.run(
        ["git", *args], check=False, cwd=cwd, env=env, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout.strip()


def checkout(origin: Path, folder: Path, what: str, depth: int = 1) -> None:
    """Check out as the platforms do: a new repository, shallow, no branch."""
    folder.mkdir(parents=True, exist_ok=True)
    git("init", "-q", cwd=folder)
    git("remote", "add", "origin", origin.as_uri(), cwd=folder)
    depths = [f"--depth={depth}"] if depth else []
    git("fetch", "-q", "--no-tags", *depths, "origin", what, cwd=folder)
    git("checkout", "-q", "--detach", "FETCH_HEAD", cwd=folder)


def keep(run: Run, name: str, paths: Iterable[Path]) -> bool:
    """Keep an artifact; whether there was anything, and no other of that name."""
    target, found = run.artifacts / name, [path for path in paths if path.exists()]
    if not found:
        return False
    assert not target.exists(), f"there is an artifact {name} already"
    for path in found:
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(path, target)
    return True
