"""Whether git could bring back what is about to change."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def changes(root: Path) -> bool:
    """Whether the project, its data aside, has changes that git does not know yet.

    False as well where there is no git, or no repository.
    """
    if (git := shutil.which("git")) is None:
        return False
    command = [git, "status", "--porcelain", "--", ".", ":(exclude)data"]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True)  # noqa: S603
    return done.returncode == 0 and bool(done.stdout.strip())
