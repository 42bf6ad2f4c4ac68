"""A command: write down who owns what."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import Command


@hookimpl
def polster_commands() -> Iterable[Command]:
    """Add `polster owners`."""
    target = "polster_plugin_owners.cli:owners"
    yield Command(name="owners", summary="Write down who owns what.", target=target)
