"""The plugins that are installed on this machine, and those that a project brings itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from polster_core.plugins.discovery import COMMAND_PREFIX, GROUP, quickly
from polster_core.plugins.local import LocalPlugin
from polster_core.plugins.manager import Plugins

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@cache
def installed(
    disabled: frozenset[str] = frozenset(), local: tuple[LocalPlugin, ...] = ()
) -> Plugins:
    """Load every installed plugin, and those of a project, once per process.

    `disabled` are the names that a project turns off; POLSTER_DISABLE_PLUGINS adds to them.
    """
    plugins = Plugins()
    off = {*disabled, *_disabled_here()}
    plugins.load(_entry_points(), disabled=off)
    plugins.load_local(local, disabled=off)
    return plugins


def installed_commands(
    disabled: frozenset[str] = frozenset(), local: tuple[LocalPlugin, ...] = ()
) -> Plugins:
    """Load the installed plugins that add commands, those of a project, and no others."""
    plugins = Plugins()
    off = {*disabled, *_disabled_here()}
    points = quickly(COMMAND_PREFIX)
    if points is None:
        found = [one for one in _entry_points() if one.name.startswith(COMMAND_PREFIX)]
        plugins.load(found, disabled=off)
    else:
        plugins.load(points, disabled=off)
    plugins.load_local(local, disabled=off)
    return plugins


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _disabled_here() -> set[str]:
    return {name.strip() for name in os.environ.get("POLSTER_DISABLE_PLUGINS", "").split(",")}
