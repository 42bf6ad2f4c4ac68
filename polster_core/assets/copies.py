"""Whether what a plugin once wrote into a project is what the installed version would write."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.errors import PolsterError
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.types import NewFile


def check_current(
    project: Project, files: Iterable[NewFile], *, origin: str, distribution: str = ""
) -> None:
    """Raise PolsterError if the project holds files of another version of a plugin.

    An asset of the installed version might import what the older copy lacks. `distribution` is the
    installed version in words; where the recorded one is the same, nothing is compared.
    """
    known = manifest.find(project.root)
    if known is None:
        return
    wrote = known.plugins.get(origin, "")
    if distribution and wrote == distribution:
        return
    for file in files:
        entry = known.files.get(file.path)
        if entry and entry.digest != manifest.digest(file.content):
            by = f"by {wrote}" if wrote and wrote != distribution else "by another version"
            raise PolsterError(
                f"{file.path} was written {by}, and {distribution or 'another one'} is installed: "
                "what it would add does not fit",
                hint="nothing was changed; bring the project up to it first:  polster upgrade",
            )


__all__ = ["check_current"]
