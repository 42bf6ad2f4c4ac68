"""What an upgrade needs before it can decide anything; each refusal is a sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polster_core.assets.pyproject import name_of
from polster_core.errors import PluginError, PolsterError
from polster_core.model.ownership import RUNTIME
from polster_core.plugins.manager import Plugins
from polster_core.plugins.origin import OWN, PROJECT
from polster_core.project.manifest import Manifest
from polster_core.upgrade.changelog import parsed

REQUIREMENT = "polster-runtime"


def check_plugins(known: Manifest, plugins: Plugins) -> None:
    """Raise PluginError unless every plugin that wrote something is here, and is not older.

    Without it, nobody could tell what its files and requirements shall be.
    """
    here = plugins.versions()
    for name, wrote in sorted(known.plugins.items()):
        distribution, _, version = wrote.rpartition(" ")
        found, _, installed = here.get(name, "").rpartition(" ")
        if distribution == OWN or (wrote == PROJECT and name in here):
            continue
        if wrote == PROJECT:
            raise PluginError(
                f"{name} of this project has written a part of it, and is not used: it is missing, "
                "broken or not trusted; nothing was changed",
                hint=f"see  polster plugins show {name}",
            )
        if not found:
            raise PluginError(
                f"the plugin {name} ({wrote}) has written a part of this project, and is not "
                "installed or is broken; nothing was changed",
                hint=f"install it beside Polster:  pip install {distribution}; "
                "or see  polster plugins",
            )
        if parsed(installed) < parsed(version):
            raise PluginError(
                f"{wrote} has written a part of this project, and {installed} is installed; "
                "nothing was changed",
                hint=f"pip install --upgrade {distribution}",
            )


def read_pyproject(root: Path) -> Mapping[str, Any]:
    """Return the parsed `pyproject.toml`; raises PolsterError where it cannot be read."""
    try:
        return tomllib.loads((root / "pyproject.toml").read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise PolsterError(f"pyproject.toml cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PolsterError(
            f"pyproject.toml cannot be read: {error}; nothing was changed",
            hint="polster validate  shows the place",
        ) from error


def depends_on_runtime(pyproject: Mapping[str, Any]) -> bool:
    """Whether the project depends on the distribution of the runtime."""
    table = pyproject.get("project")
    listed = table.get("dependencies", []) if isinstance(table, dict) else []
    return any(name_of(str(requirement)) == REQUIREMENT for requirement in listed)


def check_one_runtime(root: Path, pyproject: Mapping[str, Any]) -> None:
    """Raise PolsterError where a project has its runtime in both ways."""
    if depends_on_runtime(pyproject) and any((root / RUNTIME).glob("*.py")):
        raise PolsterError(
            f"this project has its runtime twice: in {RUNTIME}, and as the dependency "
            f"{REQUIREMENT}; nothing was changed",
            hint="say which one stays:  polster upgrade --runtime vendored  (or package)",
        )


__all__ = [
    "REQUIREMENT",
    "check_one_runtime",
    "check_plugins",
    "depends_on_runtime",
    "read_pyproject",
]
