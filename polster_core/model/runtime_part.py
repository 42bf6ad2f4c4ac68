"""A package that generated projects import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RuntimePart:
    """A Python package that a project needs at run time.

    `package` is its import name, a top-level package of the plugin's distribution. A project that
    holds its runtime as code gets a copy of it under `src/`; any other gets `requirement`, a PEP
    508 string. `storage`, `source`, `secrets`, `listener` or `executor` is the name by which the
    runtime finds it: the entry point of that name in the group `polster_runtime.storage`,
    `polster_runtime.sources`, `polster_runtime.secrets`, `polster_runtime.listeners` or
    `polster_runtime.executors`.
    """

    package: str
    requirement: str = ""
    storage: str = ""
    source: str = ""
    secrets: str = ""
    listener: str = ""
    executor: str = ""

    def __post_init__(self) -> None:
        """Refuse a package that nobody could import."""
        if not all(part.isidentifier() for part in self.package.split(".")):
            raise ValueError(f"{self.package!r} is no package")
