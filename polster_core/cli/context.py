"""The plugins of this machine, as the project around us wants them."""

from __future__ import annotations

from polster_core.cli import console
from polster_core.errors import PolsterError
from polster_core.plugins.installed import installed
from polster_core.plugins.local import LocalPlugin, local_plugins
from polster_core.plugins.manager import Plugins
from polster_core.project.locate import NoProjectError, Project, find_project

SETTING = "disable-plugins"
"""The key in `[tool.polster]` that turns plugins off."""


def plugins_here() -> Plugins:
    """Load the plugins, without those that the project around us turns off, and with its own."""
    return installed(disabled_here(), local_here())


def disabled_here() -> frozenset[str]:
    """Return the names in `disable-plugins` of the project around us.

    Raises PolsterError if the setting is no list of names.
    """
    project = _project_here()
    if project is None:
        return frozenset()
    names = project.settings.get(SETTING, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise PolsterError(
            f"{project.root / 'pyproject.toml'}: {SETTING} in [tool.polster] is no list of names",
            hint=f'for example  {SETTING} = ["storage-s3"]',
        )
    return frozenset(names)


def local_here() -> tuple[LocalPlugin, ...]:
    """Return the plugins that the project around us brings itself; raises PolsterError."""
    project = _project_here()
    return local_plugins(project.root, project.settings) if project else ()


def warn_of_broken(plugins: Plugins) -> None:
    """Print one line on stderr for each plugin that is broken, or does what it should not."""
    for info in plugins.noted:
        for text in filter(None, (info.problem, *info.notes)):
            console.warn(f"plugin {info.name} ({info.source}): {text}")


def _project_here() -> Project | None:
    try:
        return find_project()
    except NoProjectError:
        return None
