"""Write a plugin to start from: a whole distribution that works and whose tests pass."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import polster_core
from polster_core import delivery, hookspecs
from polster_core.errors import PolsterError, UsageProblem
from polster_core.plan.definition import Plan, draft
from polster_core.plugins.discovery import COMMAND_PREFIX
from polster_core.plugins.manager import Plugins
from polster_core.plugins.offers import Offer
from polster_core.plugins.origin import normalized
from polster_core.types import (
    AssetColumn,
    AssetTemplate,
    CicdGenerator,
    Command,
    Deployment,
    DoctorCheck,
    Executor,
    NewFile,
    Option,
    StorageBackend,
    ValidationRule,
)

KINDS: Mapping[str, type[Offer] | None] = {
    "storage": StorageBackend,
    "executor": Executor,
    "cicd": CicdGenerator,
    "deployment": Deployment,
    "connector": AssetTemplate,
    "asset-template": AssetTemplate,
    "rule": ValidationRule,
    "check": DoctorCheck,
    "column": AssetColumn,
    "option": Option,
    "command": Command,
    "secrets": None,
    "listener": None,
}
"""What a plugin may offer, and as what; `None` is what only projects look for."""
PREFIX = "polster-plugin-"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 30
_IMPORTS = {
    "storage": ["EnvVar", "Option", "RuntimePart", "StorageBackend"],
    "executor": ["Executor", "RuntimePart"],
    "cicd": ["CicdGenerator", "NewFile", "ProjectContext"],
    "deployment": ["Deployment", "NewFile", "ProjectContext"],
    "connector": ["AssetContext", "AssetTemplate", "EnvVar", "NewFile", "Option", "RuntimePart"],
    "asset-template": ["AssetContext", "AssetTemplate", "NewFile", "Option"],
    "rule": ["Pipeline", "Problem", "ValidationRule"],
    "check": ["CheckResult", "DoctorCheck"],
    "column": ["Asset", "AssetColumn", "Pipeline"],
    "option": ["GitignoreLine", "GuideSection", "NewFile", "Option", "ProjectContext"],
    "command": ["Command"],
}
_EXPORTS = {
    "connector": ("source", "read_table"),
    "executor": ("steps", "executor"),
    "storage": ("store", "connect"),
}
"""What the package that projects import has at its top: module and name."""
_RUNS = {"storage", "connector"}
"""Kinds whose tests run a project."""
_HAS_A_RUNTIME = {*_EXPORTS, "secrets", "listener"}
"""Kinds with a package that projects import."""


@dataclass(frozen=True, kw_only=True)
class PluginRequest:
    """What somebody wants: a plugin of this name, without `polster-plugin-`, of these kinds."""

    name: str
    kinds: tuple[str, ...]

    @property
    def distribution(self) -> str:
        """What pip calls it; its folder has the same name."""
        return f"{PREFIX}{self.name}"

    @property
    def module(self) -> str:
        """What Python calls it."""
        return self.distribution.replace("-", "_")

    @property
    def runtime(self) -> str:
        """The package that projects import; "" where nothing needs one."""
        return f"polster_{_snake(self.name)}" if _HAS_A_RUNTIME & {*self.kinds} else ""

    @property
    def has_hooks(self) -> bool:
        """Whether Polster itself has to do with it."""
        return any(KINDS[kind] for kind in self.kinds)

    @property
    def entry_point(self) -> str:
        """What Polster calls the plugin."""
        return f"{COMMAND_PREFIX}{self.name}" if "command" in self.kinds else self.name

    @property
    def offers(self) -> dict[str, str]:
        """The name under which each kind is offered."""
        rows = f"{self.name}-rows" if "connector" in self.kinds else self.name
        return {kind: rows if kind == "asset-template" else self.name for kind in self.kinds}


def request(name: str, kinds: Sequence[str]) -> PluginRequest:
    """Return what is meant; raises UsageProblem for a name that no plugin can have."""
    short = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(short) or len(short) > _LONGEST:
        raise UsageProblem(
            f"{name!r} cannot be a plugin's name: use up to {_LONGEST} lower-case letters, digits "
            "and dashes, and start with a letter",
            hint=f"for example  {_suggested(short)}",
        )
    return PluginRequest(name=short, kinds=tuple(kind for kind in KINDS if kind in kinds))


def plan(folder: Path, wanted: PluginRequest, plugins: Plugins) -> Plan:
    """Plan the distribution's files, in a folder of its name below `folder`.

    Raises PolsterError if there is something already, and UsageProblem if an installed plugin has
    the name.
    """
    _check_free(wanted, plugins)
    root = folder / wanted.distribution
    if root.is_dir() and any(root.iterdir()):
        raise PolsterError(
            f"{root.name}/ exists and is not empty; nothing was changed",
            hint="choose another name",
        )
    if os.path.lexists(root) and not root.is_dir():
        raise PolsterError(f"{root.name} exists and is not a directory; nothing was changed")
    return draft(root, files(wanted))


def files(wanted: PluginRequest) -> Iterator[NewFile]:
    """Yield the distribution's files."""
    from polster_core.rendering import tree

    known = _variables(wanted)
    folders = {"all": True, "hooks": wanted.has_hooks, "runtime": bool(wanted.runtime)}
    for folder in (*(name for name, is_wanted in folders.items() if is_wanted), *wanted.kinds):
        yield from tree("polster_core", f"templates/plugin/{folder}", known, origin="polster")


def _check_free(wanted: PluginRequest, plugins: Plugins) -> None:
    """Raise UsageProblem if a plugin on this machine has the name already."""
    another = "choose another name; see  polster plugins"
    names = (wanted.name, wanted.entry_point, wanted.distribution)
    taken = next((name for name in names if normalized(name) in plugins.names), None)
    if taken:
        raise UsageProblem(f"a plugin called {taken} is installed already", hint=another)
    if wanted.runtime == delivery.RUNTIME or (wanted.runtime and find_spec(wanted.runtime)):
        raise UsageProblem(f"there is a package {wanted.runtime} already", hint=another)
    for kind, name in wanted.offers.items():
        offer = KINDS[kind]
        offers = plugins.offers(offer) if offer else {}
        if offer and name in offers:
            source = plugins.versions()[plugins.owner(offer, name)]
            raise UsageProblem(
                f"{offers[name].kind} {name} is offered by {source} already", hint=another
            )


def _variables(wanted: PluginRequest) -> dict[str, object]:
    assets = [name for kind, name in wanted.offers.items() if KINDS[kind] is AssetTemplate]
    return {
        "name": wanted.name,
        "distribution": wanted.distribution,
        "module": wanted.module,
        "entry_point": wanted.entry_point,
        "runtime": wanted.runtime,
        "runtime_requirement": delivery.requirement(),
        "snake": _snake(wanted.name),
        "upper": _snake(wanted.name).upper(),
        "summary": f"{wanted.name} for Polster",
        "kinds": wanted.kinds,
        "assets": assets,
        "template": wanted.offers.get("asset-template", ""),
        "templates": bool({*wanted.kinds} & {"cicd", "deployment", "connector", "asset-template"}),
        "runs": bool(_RUNS & {*wanted.kinds}),
        "hooks": wanted.has_hooks,
        "exports": sorted(_EXPORTS[kind] for kind in wanted.kinds if kind in _EXPORTS),
        "imports": sorted(_imports(wanted.kinds)),
        "api": f">={hookspecs.API.partition('.')[0]},<{int(hookspecs.API.partition('.')[0]) + 1}",
        "polster_version": polster_core.__version__,
        "asset": "{asset}",  # stays as it is, for the plugin's own templates
    }


def _snake(name: str) -> str:
    return name.replace("-", "_")


def _imports(kinds: Iterable[str]) -> set[str]:
    return {name for kind in kinds for name in _IMPORTS.get(kind, ())}


def _suggested(name: str) -> str:
    made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_LONGEST].strip("-")
    return made or "mine"
