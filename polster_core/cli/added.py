"""A command that a plugin adds, as far as `polster --help` needs it; light, and kept in a cache."""

from __future__ import annotations

import copy
from typing import NamedTuple

import click

from polster_core.errors import PluginError


class Added(NamedTuple):
    """A command, where it is (`package.module:attribute`), and who adds it."""

    name: str
    summary: str
    target: str
    plugin: str
    source: str

    def build(self) -> click.Command:
        """Import the click command; raises PluginError if there is none."""
        import pkgutil

        try:
            found = pkgutil.resolve_name(self.target)
        except (Exception, SystemExit) as error:
            raise self.failed(error) from error
        if not isinstance(found, click.Command):
            raise PluginError(
                f"command {self.name}: {self.target} of the plugin {self.plugin} "
                f"({self.source}) is no click command",
                hint=f"see  polster plugins show {self.plugin}",
            )
        made = copy.copy(found)
        made.name = self.name
        return made

    def failed(self, error: BaseException) -> PluginError:
        """Return an error that says whose command failed."""
        from polster_core.plugins.validation import in_one_line

        return PluginError(
            f"command {self.name}: the plugin {self.plugin} ({self.source}) failed: "
            f"{in_one_line(error)}",
            hint="report it to the plugin's author; --debug shows where",
        )


__all__ = ["Added"]
