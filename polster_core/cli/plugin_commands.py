"""The commands that plugins add: found, listed, imported when they run."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass

import click

from polster_core.cli.context import disabled_here, local_here
from polster_core.errors import PluginError
from polster_core.plugins.installed import installed_commands
from polster_core.plugins.manager import Plugins
from polster_core.plugins.validation import in_one_line
from polster_core.types import Command

HEADING = "Commands of plugins"


@dataclass(frozen=True)
class Added:
    """A command and who adds it."""

    command: Command
    plugin: str
    source: str

    def build(self) -> click.Command:
        """Import the click command; raises PluginError if there is none."""
        import pkgutil

        try:
            found = pkgutil.resolve_name(self.command.target)
        except (Exception, SystemExit) as error:
            raise self.failed(error) from error
        if not isinstance(found, click.Command):
            raise PluginError(
                f"command {self.command.name}: {self.command.target} of the plugin {self.plugin} "
                f"({self.source}) is no click command",
                hint=f"see  polster plugins show {self.plugin}",
            )
        made = copy.copy(found)
        made.name = self.command.name
        return made

    def failed(self, error: BaseException) -> PluginError:
        """Return an error that says whose command failed."""
        return PluginError(
            f"command {self.command.name}: the plugin {self.plugin} ({self.source}) failed: "
            f"{in_one_line(error)}",
            hint="report it to the plugin's author; --debug shows where",
        )


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
            found[name] = Added(command, plugin, versions[plugin])
    return found
