"""Where a plugin comes from: its entry point and its distribution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polster_core.plugins.discovery import Point

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OWN = "polster"
"""The distribution whose plugins win over others of the same name."""


PROJECT = "this project"
"""What stands in place of a distribution where a plugin is a file of the project."""


@dataclass(frozen=True)
class Origin:
    """An entry point: its name, its distribution with version, and the module that it names."""

    name: str
    distribution: str
    version: str
    module: str = ""

    @classmethod
    def of(cls, point: EntryPoint | Point) -> Origin:
        """Return the origin of an entry point."""
        if point.dist is None:
            return cls(point.name, "unknown", "", point.value)
        return cls(point.name, point.dist.name, point.dist.version, point.value)

    def __str__(self) -> str:
        """Distribution and version: `polster-plugin-s3 0.2`."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def is_own(self) -> bool:
        """Whether the plugin comes with Polster."""
        return self.distribution == OWN

    @property
    def is_installed(self) -> bool:
        """Whether a distribution brings it, which others can install."""
        return self.distribution not in {"unknown", "unpackaged", PROJECT}

    @property
    def rank(self) -> tuple[bool, str, str]:
        """A key to sort by: Polster's own first, then by name."""
        return (not self.is_own, self.name, self.distribution)

    @property
    def names(self) -> set[str]:
        """The plugin's and its distribution's name, normalized."""
        return {normalized(self.name), normalized(self.distribution)}

    @property
    def aliases(self) -> set[str]:
        """What a person may call it: `storage-s3` is `s3`, too."""
        return {name for full in self.names for name in (full, *_endings(full))}


def normalized(name: str) -> str:
    """Return a distribution's or an entry point's name in the one form to compare it in."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _endings(name: str) -> Iterator[str]:
    while "-" in name:
        name = name.partition("-")[2]
        yield name
