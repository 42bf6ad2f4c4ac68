"""The plugins that were found, loaded one by one: a broken one never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING

import pluggy

from polster_core import hookspecs
from polster_core.plugins import validation
from polster_core.plugins.discovery import COMMAND_PREFIX, GROUP, Point
from polster_core.plugins.isolation import Isolation
from polster_core.plugins.offers import Answer
from polster_core.plugins.origin import PROJECT, Origin, normalized
from polster_core.plugins.validation import Hook

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from polster_core.plugins.local import LocalPlugin

SLOW = 1.0
"""Seconds after which importing a plugin is worth a word."""
_COMMANDS = "polster_commands"


class Registry:
    """Loads plugins and calls their hooks; whatever is wrong with one is noted under its name."""

    def __init__(
        self, deprecated: Mapping[str, hookspecs.Deprecation] = hookspecs.DEPRECATED
    ) -> None:
        """Start empty: `load` or `register` fills it. `deprecated` is what still works."""
        self._deprecated = deprecated
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._hooks = validation.hooks()
        self._origins: list[Origin] = []
        self._active: dict[str, Origin] = {}
        self._disabled: set[Origin] = set()
        self._isolation = Isolation()

    def load(self, found: Iterable[EntryPoint | Point], *, disabled: Iterable[str] = ()) -> None:
        """Load entry points one by one, Polster's own first, noting every failure.

        `disabled` are names of entry points or of distributions, which are then not imported. The
        name of a stranger's entry point turns off the stranger, never what Polster has of it.
        """
        off = {normalized(name) for name in disabled}
        points = [(Origin.of(point), point) for point in found]
        strangers = {normalized(origin.name) for origin, _ in points if not origin.is_own}
        for origin, point in sorted(points, key=lambda pair: pair[0].rank):
            if off & (origin.names - strangers if origin.is_own else origin.names):
                self._origins.append(origin)
                self._disabled.add(origin)
            else:
                self._add(origin, point.load)

    def load_local(self, found: Iterable[LocalPlugin], *, disabled: Iterable[str] = ()) -> None:
        """Load the plugins of a project, after all that are installed."""
        off = {normalized(name) for name in disabled}
        for plugin in found:
            if off & {normalized(plugin.path)}:
                self._origins.append(plugin.origin)
                self._disabled.add(plugin.origin)
            else:
                self._add(plugin.origin, plugin.load)

    def register(
        self, plugin: object, name: str, *, distribution: str = "unpackaged", version: str = ""
    ) -> None:
        """Add a plugin that is no entry point: a module, or any object with hooks."""
        self._add(Origin(name, distribution, version), lambda: plugin)

    def _counts(self, origin: Origin) -> bool:
        """Whether what a plugin offers is used: what is broken is left out."""
        return origin.is_own or origin not in self._isolation.problems

    def _hook(self, kind: type[object]) -> Hook:
        return next(hook for hook in self._hooks.values() if hook.yields is kind)

    def _add(self, origin: Origin, load: Callable[[], object]) -> None:
        self._origins.append(origin)
        if other := self._active.get(origin.name):
            self._isolation.problems[origin] = f"the name {origin.name} is already taken by {other}"
            return
        with self._isolation.running(origin, slow=SLOW):
            plugin = load()
            validation.check(plugin, self._manager.parse_hookimpl_opts)
            _check_prefix(origin, plugin)
            try:
                self._manager.register(plugin, name=origin.name)
            except BaseException:
                self._manager.unregister(name=origin.name)
                raise
            self._active[origin.name] = origin
            for note in validation.deprecated(self._implemented(origin), self._deprecated):
                self._isolation.note(origin, note)

    def _implemented(self, origin: Origin) -> dict[str, tuple[str, ...]]:
        """Return the hooks that a plugin implements, and the arguments that it takes."""
        return {
            caller.name: implementation.argnames
            for caller in self._manager.get_hookcallers(self._manager.get_plugin(origin.name)) or ()
            for implementation in caller.get_hookimpls()
            if implementation.plugin_name == origin.name and caller.name in self._hooks
        }

    def _ask(
        self, hook: Hook, arguments: Callable[[Origin], Mapping[str, object]]
    ) -> Iterator[Answer]:
        """Yield what the plugins answer, Polster's own first; nothing of one that fails."""
        answers: list[Answer] = []
        for implementation in getattr(self._manager.hook, hook.name).get_hookimpls():
            origin = self._active[implementation.plugin_name]
            with self._isolation.running(origin, f"{hook.name}: "):
                known = arguments(origin)
                given = [copy(known[name]) for name in implementation.argnames]
                items = validation.items(implementation.function(*given), hook.yields)
                if not origin.is_own:
                    for item in items:
                        validation.check_contents(item, origin.distribution, origin.module)
                answers.extend((origin, item) for item in items)
        yield from sorted(answers, key=lambda answer: answer[0].rank)


def _check_prefix(origin: Origin, plugin: object) -> None:
    of_project = origin.distribution == PROJECT
    if hasattr(plugin, _COMMANDS) and not of_project and not origin.name.startswith(COMMAND_PREFIX):
        raise validation.MisfitError(
            f"it adds commands, and its entry point is called {origin.name}, "
            f"not {COMMAND_PREFIX}{origin.name}"
        )
