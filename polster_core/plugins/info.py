"""What became of an installed plugin, and what to do about one that is broken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from polster_core.plugins.local import NOT_TRUSTED
from polster_core.plugins.origin import OWN, PROJECT, Origin


class Status(StrEnum):
    """What became of an installed plugin."""

    ACTIVE = "active"
    DISABLED = "disabled"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class PluginInfo:
    """One installed entry point and what became of it.

    `provides` are words such as `storage local`. A broken plugin may still provide something:
    `problem` says what is wrong and `hint` what to do. `notes` are what is worth knowing and stops
    nothing. `module` is what the entry point names.
    """

    name: str
    distribution: str
    version: str
    status: Status
    problem: str | None
    provides: tuple[str, ...]
    notes: tuple[str, ...] = ()
    hint: str | None = None
    module: str = ""

    @property
    def source(self) -> str:
        """Distribution and version: `polster-plugin-s3 0.2`."""
        return f"{self.distribution} {self.version}".rstrip()


def hint_for(
    origin: Origin, problem: str, cause: BaseException | None, *, shares_name: bool = False
) -> str:
    """Say what to do about a plugin that is broken; `cause` is what it raised, if it did.

    One that `shares_name` with another is turned off by the name of its distribution.
    """
    if origin.distribution == PROJECT:
        return _hint_for_local(origin, problem)
    name = origin.distribution if shares_name else origin.name
    off = f"turn it off:  POLSTER_DISABLE_PLUGINS={name}"
    if isinstance(cause, ModuleNotFoundError) and not (cause.name or "").startswith(OWN):
        return f"install what it needs:  pip install --upgrade {origin.distribution}; or {off}"
    if isinstance(cause, ImportError) or "of the hooks, and this Polster" in problem:
        return f"install versions that fit:  pip install --upgrade {origin.distribution} {OWN}"
    if cause is None:
        return f"uninstall one of them, or {off}"
    return f"upgrade it, report it to the plugin's author, or {off}"


def _hint_for_local(origin: Origin, problem: str) -> str:
    if problem == NOT_TRUSTED:
        return f"read {origin.name}, then  polster plugins trust"
    return f"fix {origin.name}, or take it out of `plugins` in [tool.polster] of pyproject.toml"
