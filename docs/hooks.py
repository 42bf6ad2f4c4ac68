"""Write docs/reference/hooks.md: every hook, what it yields, and what a plugin may import.

    python docs/hooks.py           write it
    python docs/hooks.py --check   write nothing; exit with 3 if it is not up to date

Run it where no other plugins are installed than those that come with Polster.
"""
# ruff: noqa: INP001

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from polster_core import hookspecs
from polster_core.cli.access import ProjectAccess
from polster_core.model import facts
from polster_core.plugins import validation
from polster_core.plugins.installed import installed
from polster_core.types import Asset, AssetId, Layer, Pipeline, Place

OF_ASSETS: Sequence[Any] = (
    *(facts.Definition, facts.Dependency, facts.Import, facts.Core, facts.Parameter),
    *(facts.Annotation, facts.Access, facts.Registration, facts.Package, facts.Fault, facts.Unread),
)
"""What pipelines and assets consist of: read, and never made, by plugins."""
READ: Sequence[Any] = (Pipeline, Asset, AssetId, Place, *OF_ASSETS, ProjectAccess)
"""What plugins read of a project."""
PAGE = Path(__file__).parent / "reference" / "hooks.md"
HEAD = """\
# Hooks

What a plugin may implement, what it then yields, and what it may import. Written by
`python docs/hooks.py` from the code. [Write a plugin in ten minutes](../guides/plugins.md) shows
how they are used.

A hook takes the arguments that it is declared with, or fewer, and returns an iterable. Whatever it
raises, prints or returns by mistake is noted under the plugin's name (`polster plugins show NAME`)
and stops nobody else.
"""
IMPORTS = """\
This is version {api} of the hooks. The first number changes when something of this goes away or
means something else, and `polster_api` in a plugin's module says which it knows. Everything else in
`polster_core` may change with any release. `polster_core.render`, which plugins written for 0.1
import, is the same as `polster_core.rendering`.
"""
PUBLIC: Mapping[str, Sequence[str]] = {
    "polster_core.types": (
        *("Asset", "AssetColumn", "AssetContext", "AssetId", "AssetTemplate", "CheckResult"),
        *("CicdGenerator", "Command", "Contribution", "Deployment", "DoctorCheck", "EnvVar"),
        *("Executor", "Fix", "GitignoreLine", "GuideSection", "Layer", "NewFile", "Option"),
        *("Pipeline", "Place"),
        *("Problem", "ProjectContext", "RuntimePart", "Severity", "StorageBackend"),
        "ValidationRule",
        *("no_asset_files", "no_env", "no_files", "no_requirements"),
    ),
    "polster_core.hookspecs": (
        "API",
        "COMPATIBLE",
        "DEPRECATED",
        "Deprecation",
        "hookimpl",
        "hookspec",
    ),
    "polster_core.cli.access": ("ProjectAccess", "this_project"),
    "polster_core.errors": ("PluginError", "PolsterError", "UsageProblem"),
    "polster_core.rendering": ("asset_variables", "project_files", "render", "tree", "variables"),
    "polster_core.testing": (
        *("AssetColumnContract", "DeploymentContract", "DoctorCheckContract"),
        *("GitignoreContract", "GuideSectionContract", "InitOptionContract"),
        "ProjectFilesContract",
        *("AssetTemplateContract", "CheckGolden", "CicdContract", "CommandContract"),
        "ConnectorContract",
        *(
            "ExecutorContract",
            "InstallPlugin",
            "MakeProject",
            "PluginContract",
            "ProjectFolder",
            "Ran",
        ),
        *("RuleContract", "RunPolster", "SetUpProject", "Source", "StorageBackendContract"),
        *("StorageContract", "StorageProject", "check_golden", "install_plugin"),
        *("make_project", "polster", "run_polster", "set_up_project", "tree"),
    ),
}
"""What stays within a version of the hooks; everything else may change with any release."""
RUNTIME = """\
The package that a `RuntimePart` names is part of projects, so it imports nothing of `polster_core`.
What it may import of `polster_runtime` stays between two minor versions of `polster-runtime`.
"""
POSITIONS = """\
An incremental source takes `position`, yields frames and returns a position: it is given `None` the
first time, and later what the last run returned whose rows were published. A position is whatever
JSON holds. It is in the footer of the snapshot, together with the rows, so that neither is ever
without the other; `python -m polster_runtime state` shows and sets it.
"""
PUBLIC_RUNTIME: Mapping[str, Sequence[str]] = {
    "polster_runtime": ("Frames", "Position", "run"),
    "polster_runtime.config.environment": ("variables",),
    "polster_runtime.config.root": ("project_name", "project_root"),
    "polster_runtime.config.settings": ("load",),
    "polster_runtime.dagster.engines.engine": ("Engine", "State"),
    "polster_runtime.dagster.engines.executor": ("executor_of",),
    "polster_runtime.domain.asset_id": ("AssetId",),
    "polster_runtime.errors": (
        *("PipelineError", "SettingsError", "SourceError", "StorageError", "Unreachable"),
    ),
    "polster_runtime.storage.cloud": ("CloudStore", "connected"),
    "polster_runtime.config.secrets": ("SecretProvider",),
    "polster_runtime.execution.events": ("Run", "RunListener"),
    "polster_runtime.storage.filesystems": ("PerThread",),
    "polster_runtime.testing.listener_contract": ("RunListenerContract",),
    "polster_runtime.testing.secrets_contract": ("SecretProviderContract",),
    "polster_runtime.storage.snapshots": ("Snapshot", "unique_name"),
    "polster_runtime.storage.store": ("Store",),
}
"""What the package of a part of the runtime may import, beside libraries of its own."""


def main() -> int:
    """Write the page, or check it; return the exit code."""
    text = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 3
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


def page() -> str:
    """Return the whole page."""
    hooks = "".join(_hook(name) for name in validation.hooks())
    values = "".join(_value(kind) for kind in _values())
    return (
        f"{HEAD}{hooks}\n# What hooks yield\n{values}{_read()}{_rendering()}{_public()}{_store()}"
    )


def users(hook: str) -> list[str]:
    """Return Polster's own plugins that implement a hook."""
    plugins = installed()
    return sorted(
        info.name
        for info in plugins.infos
        if info.distribution == "polster" and hasattr(importlib.import_module(info.module), hook)
    )


def _hook(name: str) -> str:
    function = getattr(hookspecs, name)
    text, _, example = inspect.getdoc(function).partition("Example:")
    signature = str(inspect.signature(function)).replace("'", "")
    by = ", ".join(f"`{user}`" for user in users(name))
    who = f"\nPolster's own plugins that implement it: {by}.\n" if by else ""
    return (
        f"\n## {name}\n\n```text\n{name}{signature}\n```\n\n{text.strip()}\n{who}"
        f"\n```text\n{textwrap.dedent(example).strip()}\n```\n"
    )


@cache
def _values() -> list[type]:
    from polster_core import types

    found = [getattr(types, name) for name in PUBLIC["polster_core.types"]]
    return [kind for kind in found if dataclasses.is_dataclass(kind) and _is_made(kind)]


def _is_made(kind: type) -> bool:
    """Whether plugins make such values, or are given them; the others are a project's, to read."""
    return kind.__name__ not in {one.__name__ for one in READ}


def _value(kind: Any) -> str:
    rows = "".join(
        f"| `{field.name}` | `{_cell(str(field.type))}` | {_default(field)} |\n"
        for field in dataclasses.fields(kind)
    )
    return (
        f"\n## {kind.__name__}\n\n{inspect.getdoc(kind)}\n"
        f"\n| field | type | default |\n|---|---|---|\n{rows}"
    )


def _read() -> str:
    """Describe what rules, columns and commands read of a project."""
    layers = ", ".join(f"`{layer}` has `{layer.function}`" for layer in Layer)
    parts = "".join(
        f"\n## {kind.__name__}\n\n{inspect.getdoc(kind)}\n\n{_fields(kind)}{_members(kind)}"
        for kind in READ
    )
    return (
        "\n# What rules, columns and commands read\n\n"
        "A `Pipeline` is the project as its files describe it. "
        f"Core files have a function each, by layer: {layers}.\n{parts}"
    )


def _fields(kind: Any) -> str:
    hints = kind.__annotations__
    named = getattr(kind, "_fields", None) or [one.name for one in dataclasses.fields(kind)]
    shown = {name: getattr(hint, "__forward_arg__", hint) for name, hint in hints.items()}
    return "".join(f"- `{name}: {shown[name]}`\n" for name in named if name[0] != "_")


def _members(kind: Any) -> str:
    """List the public methods and properties of a class, each with its first line."""
    lines = []
    for name, member in vars(kind).items():
        function = getattr(member, "fget", None) or getattr(member, "func", None) or member
        function = getattr(function, "__wrapped__", function)
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        is_value = not inspect.isfunction(member) and not hasattr(member, "__wrapped__")
        signature = _signature(function).replace("(self, ", "(")
        signature = signature.replace("(self)", "()")
        shown = f"{name}: {signature.partition('-> ')[2]}" if is_value else f"{name}{signature}"
        about = " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())
        lines.append(f"- `{shown}`: {about}\n")
    return "".join(lines)


def _rendering() -> str:
    module = importlib.import_module("polster_core.rendering")
    found = [getattr(module, name) for name in PUBLIC["polster_core.rendering"]]
    parts = "".join(
        f"\n## {one.__name__}\n\n```text\n{one.__name__}{_signature(one)}\n```\n"
        f"\n{inspect.getdoc(one)}\n"
        for one in found
    )
    about = inspect.getdoc(importlib.import_module("polster_core.rendering.jinja")) or ""
    return f"\n# Rendering\n\n{about.partition(chr(10) * 2)[2]}\n{parts}"


def _signature(function: Any) -> str:
    text = str(inspect.signature(function)).replace("'", "").replace("= )", '= "")')
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", text)  # names without their modules


def _store() -> str:
    """Describe what a storage backend may use and override, and what a source yields."""
    sys.path.insert(0, str(PAGE.parents[2] / "runtime"))
    store = importlib.import_module("polster_runtime.storage.store").Store
    cloud = importlib.import_module("polster_runtime.storage.cloud").CloudStore
    events = importlib.import_module("polster_runtime.execution.events")
    secrets = importlib.import_module("polster_runtime.config.secrets").SecretProvider
    result = importlib.import_module("polster_runtime.execution.result").Materialized
    snapshots = importlib.import_module("polster_runtime.storage.snapshots")
    told = "".join(
        f"\n## {kind.__name__}\n\n{inspect.getdoc(kind)}\n\n{_fields(kind)}{_members(kind)}"
        for kind in (events.Run, result, snapshots.Snapshot)
    )
    engine = importlib.import_module("polster_runtime.dagster.engines.engine").Engine
    parts = "".join(
        f"\n## {kind.__name__}\n\n{inspect.getdoc(kind)}\n\n{_members(kind)}"
        for kind in (store, cloud, events.RunListener, secrets, engine)
    )
    return f"\n# What parts of the runtime are and use\n\n{POSITIONS}{parts}{told}"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        shown = getattr(field.default, "__name__", repr(field.default))
        return f"`{_cell(shown)}`"
    return "empty" if field.default_factory is not dataclasses.MISSING else "needed"


def _public() -> str:
    lines = "".join(_module(name, names) for name, names in PUBLIC.items())
    parts = "".join(_module(name, names) for name, names in PUBLIC_RUNTIME.items())
    return (
        f"\n# What a plugin may import\n\n{IMPORTS.format(api=hookspecs.API)}{lines}"
        f"\n# What a part of the runtime may import\n\n{RUNTIME}{parts}"
    )


def _module(name: str, names: Sequence[str]) -> str:
    listed = ", ".join(f"`{one}`" for one in names)
    return f"\n## {name}\n\n" + textwrap.fill(listed, 118, break_on_hyphens=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
