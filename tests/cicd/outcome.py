"""What a pipeline left behind: what it must have committed, and what must be nowhere."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.cicd.steps import Run, git


def committed(origin: Path, branch: str = "data") -> tuple[dict[str, int], str]:
    """Return how many snapshots each asset has on a branch, and the last commit's first line.

    Nothing and no line where there is no such branch.
    """
    ref = f"refs/heads/{branch}"
    if not git("for-each-ref", ref, cwd=origin):
        return {}, ""
    found: dict[str, int] = {}
    for path in git("ls-tree", "-r", "--name-only", ref, cwd=origin).splitlines():
        if path.startswith("data/") and path.endswith(".parquet"):
            asset = "/".join(path.split("/")[1:-1])
            found[asset] = found.get(asset, 0) + 1
    return found, git("log", "-1", "--format=%s", ref, cwd=origin)


def nothing_leaked(done: Run, origin: Path, *secrets: str) -> None:
    """Check log, summaries, artifacts and the whole repository for secrets, however spelled."""
    everything = done.everything() + _objects(origin)
    assert b"asked" in everything, "the assets say nothing: nothing could leak"
    for secret in secrets:
        for spelled in {
            secret,
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            base64.b64encode(secret.encode()).decode(),
        }:
            assert spelled.encode() not in everything, f"{spelled} is in it"


def _objects(origin: Path) -> bytes:
    """Return every object of a repository, unpacked."""
    done = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"],
        check=True,
        cwd=origin,
        capture_output=True,
    )
    return done.stdout
