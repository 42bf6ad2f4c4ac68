"""Whether the libraries that Polster needs are those that are installed beside it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def misfits() -> list[str]:
    """Say which libraries are missing, or of a version that Polster does not work with.

    None where Polster itself is not installed, as in a folder on the path: nobody says then what
    it needs.
    """
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in requires("polster") or ()]
    except PackageNotFoundError:
        return []
    return [
        said
        for one in needed
        if one.marker is None or one.marker.evaluate({"extra": ""})
        if (said := _misfit(one.name, str(one.specifier), one))
    ]


def _misfit(name: str, wanted: str, needed: Requirement) -> str:
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed, and Polster needs {name}{wanted}"
    if needed.specifier.contains(found, prereleases=True):
        return ""
    return f"{name} {found} is installed, and Polster needs {name}{wanted}"


__all__ = ["misfits"]
