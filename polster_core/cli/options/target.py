"""Where `polster init` puts a project, and how the project is called."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from polster_core.cli.working_project import undo_interrupted
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.names import check_project_name, project_name_problem, suggest_project_name
from polster_core.plan.apply import was_built_by_killed
from polster_core.project.locate import is_project


@dataclass(frozen=True, kw_only=True)
class Target:
    """The folder, the name of the project, and how the folder is shown (`shop/`; "" is here).

    `in_place` says that there are files in it already, and `is_left` that an init that was killed
    has written them.
    """

    root: Path
    name: str
    prefix: str
    in_place: bool = False
    is_left: bool = False


def target(typed: str, name: str | None) -> Target:
    """Decide from what was typed: a name, or the path of a folder, with or without files.

    Raises UsageProblem for a name that no project can have, PolsterError for a place where there
    can be none; then what a killed command left there is undone already.
    """
    is_path = typed in {".", ".."} or any(sep in typed for sep in filter(None, (os.sep, os.altsep)))
    if is_path:
        root = Path(typed).resolve()
        name = _name_of(root, typed) if name is None else check_project_name(name)
    else:
        name = check_project_name(typed if name is None else name)
        root = Path.cwd() / typed
    here = root == Path.cwd() or root == Path.cwd().resolve()
    prefix = "" if here else f"{os.path.relpath(root) if is_path else typed}/"
    in_place, is_left = _look(root, prefix)
    return Target(root=root, name=name, prefix=prefix, in_place=in_place, is_left=is_left)


def _name_of(root: Path, typed: str) -> str:
    """Return the name of a folder, if a project can have it."""
    if problem := project_name_problem(root.name):
        raise UsageProblem(
            f"{root.name!r} cannot be a project's name: {problem}",
            hint=f"polster init {shlex.quote(typed)} --name {suggest_project_name(root.name)}",
        )
    return root.name


def _look(root: Path, prefix: str) -> tuple[bool, bool]:
    """Return whether there are files already, and whether a killed init wrote them."""
    shown = prefix or "this folder"
    undo_interrupted(root)
    if root.is_dir():
        if is_project(root):
            if was_built_by_killed(root):
                return False, True
            raise PolsterError(
                f"{shown} is a Polster project already; nothing was changed",
                hint="choose another name; or  polster upgrade  in it",
            )
        return any(root.iterdir()), False
    if os.path.lexists(root):
        raise PolsterError(
            f"{shown.rstrip('/')} exists and is not a directory; nothing was changed"
        )
    if not root.parent.is_dir():
        raise PolsterError(f"there is no folder {root.parent}; nothing was changed")
    return False, False


__all__ = ["Target", "target"]
