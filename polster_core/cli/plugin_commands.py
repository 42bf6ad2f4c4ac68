"""The commands that plugins add: found by asking the plugins."""

from __future__ import annotations

from collections.abc import Collection

from polster_core.cli.added import Added
from polster_core.cli.context import disabled_here, local_here
from polster_core.plugins.installed import installed_commands
from polster_core.plugins.manager import Plugins
from polster_core.types import Command


def commands(own: Collection[str]) -> dict[str, Added]:
    """Return the commands of plugins by name, without those whose name is one of Polster's own."""
    return of(installed_commands(disabled_here(), local_here()), own)


def of(plugins: Plugins, own: Collection[str]) -> dict[str, Added]:
    """Return the commands of these plugins; who wants one of Polster's own is noted as broken."""
    found, versions = {}, plugins.versions()
    for name, command in plugins.commands().items():
        plugin = plugins.owner(Command, name)
        if name in own:
            plugins.blame(plugin, f"command {name} is one of Polster's own")
        else:
            found[name] = Added(name, command.summary, command.target, plugin, versions[plugin])
    return found
