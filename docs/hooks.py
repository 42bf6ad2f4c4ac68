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
import sys
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from polster_core import hookspecs
from polster_core.plugins import validation
from polster_core.plugins.installed import installed

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
        *("CicdGenerator", "Command", "Contribution", "DoctorCheck", "EnvVar", "Fix"),
        *("GitignoreLine", "GuideSection", "Layer", "NewFile", "Option", "Pipeline", "Place"),
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
    "polster_core.errors": ("PluginError", "PolsterError", "UsageProblem"),
    "polster_core.rendering": ("asset_variables", "project_files", "render", "tree", "variables"),
    "polster_core.testing": (
        *("AssetColumnContract", "DoctorCheckContract", "GuideSectionContract"),
        *("AssetTemplateContract", "CheckGolden", "CicdContract", "CommandContract"),
        "ConnectorContract",
        *("InstallPlugin", "MakeProject", "PluginContract", "ProjectFolder", "Ran"),
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
PUBLIC_RUNTIME: Mapping[str, Sequence[str]] = {
    "polster_runtime": ("Frames", "Position", "run"),
    "polster_runtime.config.environment": ("variables",),
    "polster_runtime.config.root": ("project_name", "project_root"),
    "polster_runtime.config.settings": ("load",),
    "polster_runtime.domain.asset_id": ("AssetId",),
    "polster_runtime.errors": (
        *("PipelineError", "SettingsError", "SourceError", "StorageError", "Unreachable"),
    ),
    "polster_runtime.storage.cloud": ("CloudStore", "connected"),
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
    return f"{HEAD}{hooks}\n# What hooks yield\n{values}{_public()}"


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
    return kind.__name__ not in {"Asset", "AssetId", "Pipeline", "Place"}


def _value(kind: Any) -> str:
    rows = "".join(
        f"| `{field.name}` | `{_cell(str(field.type))}` | {_default(field)} |\n"
        for field in dataclasses.fields(kind)
    )
    return (
        f"\n## {kind.__name__}\n\n{inspect.getdoc(kind)}\n"
        f"\n| field | type | default |\n|---|---|---|\n{rows}"
    )


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
