"""The git repository around a project, and the few files in it that are a project's to write.

Platforms look for pipelines at the top of a repository. A project in a folder of it has its
pipeline there as well, and nothing else: no other path outside of the project is ever written.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

_PIPELINES = re.compile(r"\.github/workflows/polster-[a-z0-9-]+\.yml|\.gitlab-ci\.yml")


def top_of(root: Path) -> Path | None:
    """Return the top of the repository that a folder, which need not exist yet, is in.

    That is where `.git` is, a folder or (in a submodule and a linked worktree) a file.
    """
    here = root.resolve()
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), None)


def folder_of(root: Path) -> str:
    """Return where in its repository a project is, with slashes; "" at the top or without one."""
    top = top_of(root)
    return "" if top in {None, root.resolve()} else root.resolve().relative_to(top or "").as_posix()


def is_pipeline(path: PurePosixPath) -> bool:
    """Whether a path of the repository is one that a project in a folder may write."""
    return _PIPELINES.fullmatch(path.as_posix()) is not None


__all__ = ["folder_of", "is_pipeline", "top_of"]
