"""Find, load and question plugins; one broken plugin never stops the others.

Whatever is wrong with a plugin is noted under its name: `Plugins.broken` is what a command warns
of, and `Plugins.choose` makes it an error (exit code 4) when that very plugin is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import pluggy

from polster_core import hookspecs
from polster_core.errors import PluginError, UsageProblem
from polster_core.model.names import did_you_mean
from polster_core.plugins import validation
from polster_core.plugins.capture import captured
from polster_core.plugins.discovery import Point, quickly
from polster_core.plugins.validation import Item
from polster_core.types import Command, Contribution, NewFile, Option, ValidationRule

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Offer = Command | Contribution | Option | ValidationRule
"""What hooks without arguments yield."""
GROUP = "polster"
"""The entry-point group of plugins, Polster's own included."""
OWN = "polster"
"""The distribution whose plugins win over others of the same name."""
COMMANDS = "polster_commands"
COMMAND_PREFIX = "command-"
"""How the name of an entry point begins whose plugin adds commands."""
SLOW = 1.0
"""Seconds after which importing a plugin is worth a word."""


class Status(StrEnum):
    """What became of an installed plugin."""

    ACTIVE = "active"
    DISABLED = "disabled"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class PluginInfo:
    """One installed entry point and what became of it.

    `provides` are words such as `storage local`. A broken plugin may still provide something:
    `problem` says what is wrong and `hint` what to do. `notes` are what is worth knowing and stops
    nothing. `module` is what the entry point names.
    """

    name: str
    distribution: str
    version: str
    status: Status
    problem: str | None
    provides: tuple[str, ...]
    notes: tuple[str, ...] = ()
    hint: str | None = None
    module: str = ""

    @property
    def source(self) -> str:
        """Distribution and version: `polster-plugin-s3 0.2`."""
        return f"{self.distribution} {self.version}".rstrip()


@dataclass(frozen=True)
class _Origin:
    """An entry point and where it comes from."""

    name: str
    distribution: str
    version: str
    module: str = ""

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def is_own(self) -> bool:
        return self.distribution == OWN


class Plugins:
    """The plugins that were found and what they contribute."""

    def __init__(
        self, deprecated: Mapping[str, hookspecs.Deprecation] = hookspecs.DEPRECATED
    ) -> None:
        """Start empty: `load` or `register` fills it. `deprecated` is what still works."""
        self._deprecated = deprecated
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._hooks = validation.hooks()
        self._origins: list[_Origin] = []
        self._active: dict[str, _Origin] = {}
        self._disabled: set[_Origin] = set()
        self._problems: dict[_Origin, str] = {}
        self._causes: dict[_Origin, BaseException] = {}
        self._notes: dict[_Origin, list[str]] = {}
        self._answers: dict[str, list[tuple[_Origin, Item]]] = {}
        self._clashes: dict[tuple[str, str], str] = {}

    def load(self, found: Iterable[EntryPoint | Point], *, disabled: Iterable[str] = ()) -> None:
        """Load entry points one by one, Polster's own first, noting every failure.

        `disabled` are names of entry points or of distributions, which are then not imported.
        """
        off = {normalized(name) for name in disabled}
        points = [(_origin(point), point) for point in found]
        for origin, point in sorted(points, key=lambda pair: _rank(pair[0])):
            if off & {normalized(origin.name), normalized(origin.distribution)}:
                self._origins.append(origin)
                self._disabled.add(origin)
            else:
                self._add(origin, point.load)

    def register(
        self, plugin: object, name: str, *, distribution: str = "unpackaged", version: str = ""
    ) -> None:
        """Add a plugin that is no entry point: a module, or any object with hooks."""
        self._add(_Origin(name, distribution, version), lambda: plugin)

    def offers(self, hook: str) -> dict[str, Offer]:
        """Call a hook that takes no arguments; return what is offered, by name.

        A name that two plugins offer stays with Polster's own; where neither is Polster's, neither
        is used. Either way the problem is noted.
        """
        if hook not in self._answers:
            self._answers[hook] = self._settle(hook, list(self._ask(hook, {})))
        return {
            item.name: item
            for _, item in sorted(self._answers[hook], key=lambda answer: _name(answer[1]))
            if not isinstance(item, NewFile)
        }

    def owner(self, hook: str, name: str) -> str:
        """Return the name of the plugin that offers `name`."""
        return next(o.name for o, item in self._answers[hook] if _name(item) == name)

    def choose(self, hook: str, name: str) -> Offer:
        """Return what is offered as `name`.

        Raises PluginError if the plugin that would offer it is broken, clashes or is disabled,
        and UsageProblem, with the nearest name, if there is none.
        """
        offers = self.offers(hook)
        if name in offers:
            return offers[name]
        kind = self._hooks[hook].yields.kind
        if clash := self._clashes.get((hook, name)):
            raise PluginError(f"{kind} {name}: {clash}", hint=_DISABLE)
        for origin in self._origins:
            problem = self._problems.get(origin)
            if name in _words(origin) and (problem or origin in self._disabled):
                raise PluginError(
                    f"{kind} {name}: the plugin {origin.name} ({origin}) is not used: "
                    f"{problem or 'it is disabled'}",
                    hint="see  polster plugins",
                )
        raise UsageProblem(
            f"there is no {kind} {name}{did_you_mean(name, offers)}",
            hint=f"there is  {', '.join(offers)}" if offers else "see  polster plugins",
        )

    def ask(self, hook: str, **arguments: object) -> dict[str, list[Item]]:
        """Call a hook with arguments; return what each plugin answered, by the plugin's name."""
        answers: dict[str, list[Item]] = {}
        for origin, item in self._ask(hook, arguments):
            answers.setdefault(origin.name, []).append(item)
        return answers

    def offered(self, kind: str, name: str, plugin: str) -> Item | None:
        """Return what a plugin offers of a kind by name, whether it is used or not."""
        for answers in self._answers.values():
            for origin, item in answers:
                if (item.kind, _name(item), origin.name) == (kind, name, plugin):
                    return item
        return None

    def blame(self, plugin: str, problem: str) -> None:
        """Note what is wrong with an active plugin; the first problem stays."""
        self._problems.setdefault(self._active[plugin], problem)

    def cause(self, plugin: str) -> BaseException | None:
        """Return what an active plugin raised first, for a traceback."""
        return self._causes.get(self._active[plugin])

    def is_own(self, plugin: str) -> bool:
        """Whether the plugin came with Polster; nobody that is not active did."""
        return plugin in self._active and self._active[plugin].is_own

    def versions(self) -> dict[str, str]:
        """Return the active plugins and the distributions that they come from."""
        return {name: str(origin) for name, origin in sorted(self._active.items())}

    @property
    def infos(self) -> list[PluginInfo]:
        """Every plugin found, by name, after every hook without arguments was called."""
        for hook in self._hooks.values():
            if not hook.arguments:
                self.offers(hook.name)
        return [self._info(origin) for origin in sorted(self._origins, key=lambda o: o.name)]

    @property
    def broken(self) -> list[PluginInfo]:
        """The plugins of which a problem is known by now."""
        return [self._info(origin) for origin in self._origins if origin in self._problems]

    @property
    def noted(self) -> list[PluginInfo]:
        """The plugins of which a problem or something worth knowing is known by now."""
        known = {*self._problems, *self._notes}
        return [self._info(origin) for origin in self._origins if origin in known]

    @property
    def names(self) -> set[str]:
        """The names of all that was found, and of their distributions, normalized."""
        found = {name for o in self._origins for name in (o.name, o.distribution)}
        return {normalized(name) for name in found}

    def _add(self, origin: _Origin, load: Callable[[], object]) -> None:
        self._origins.append(origin)
        if other := self._active.get(origin.name):
            self._problems[origin] = f"the name {origin.name} is already taken by {other}"
            return
        with self._noting(origin, slow=SLOW):
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
                self._note(origin, note)

    def _implemented(self, origin: _Origin) -> dict[str, tuple[str, ...]]:
        """Return the hooks that a plugin implements, and the arguments that it takes."""
        return {
            caller.name: implementation.argnames
            for caller in self._manager.get_hookcallers(self._manager.get_plugin(origin.name)) or ()
            for implementation in caller.get_hookimpls()
            if implementation.plugin_name == origin.name
        }

    def _ask(self, hook: str, arguments: Mapping[str, object]) -> Iterator[tuple[_Origin, Item]]:
        """Yield what the plugins answer, Polster's own first; nothing of one that fails."""
        answers: list[tuple[_Origin, Item]] = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            origin = self._active[implementation.plugin_name]
            with self._noting(origin, f"{hook}: "):
                given = [copy(arguments[name]) for name in implementation.argnames]
                items = validation.items(implementation.function(*given), self._hooks[hook].yields)
                if not origin.is_own:
                    for item in items:
                        validation.check_contents(item)
                answers.extend((origin, item) for item in items)
        yield from sorted(answers, key=lambda answer: _rank(answer[0]))

    def _settle(
        self, hook: str, answers: Sequence[tuple[_Origin, Item]]
    ) -> list[tuple[_Origin, Item]]:
        """Drop the answers whose name is taken, and note who clashes with whom."""
        kept = []
        for name in dict.fromkeys(_name(item) for _, item in answers):
            same = [answer for answer in answers if _name(answer[1]) == name]
            if len(same) == 1 or same[0][0].is_own:  # Polster's own come first
                kept.append(same.pop(0))
            elif same:
                self._clashes[hook, name] = f"offered by {' and '.join(str(o) for o, _ in same)}"
            for origin, item in same:
                others = (str(other) for other, rival in answers if _name(rival) == name)
                rivals = " and ".join(dict.fromkeys(o for o in others if o != str(origin)))
                problem = f"{item.kind} {name} is offered by {rivals or 'it twice'}"
                self._problems.setdefault(origin, f"{problem}, too" if rivals else problem)
        return kept

    @contextmanager
    def _noting(
        self, origin: _Origin, where: str = "", *, slow: float | None = None
    ) -> Iterator[None]:
        """Let a plugin do what it wants: fail, end the process, print, or take its time."""
        with captured() as seen:
            try:
                yield
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - SystemExit is not the plugin's to raise
                self._problems.setdefault(origin, f"{where}{validation.in_one_line(error)}")
                self._causes.setdefault(origin, error)
        if seen.text:
            self._note(origin, f"{where or 'importing it '}printed {seen.text}")
        if slow is not None and seen.seconds > slow and not origin.is_own:
            self._note(origin, f"importing it took {seen.seconds:.1f} s")

    def _note(self, origin: _Origin, text: str) -> None:
        known = self._notes.setdefault(origin, [])
        if text not in known:
            known.append(text)

    def _info(self, origin: _Origin) -> PluginInfo:
        problem = self._problems.get(origin)
        status = Status.BROKEN if problem else Status.ACTIVE
        return PluginInfo(
            name=origin.name,
            distribution=origin.distribution,
            version=origin.version,
            status=Status.DISABLED if origin in self._disabled else status,
            problem=problem,
            provides=tuple(self._provided(origin)),
            notes=tuple(self._notes.get(origin, ())),
            hint=_hint(origin, problem, self._causes.get(origin)) if problem else None,
            module=origin.module,
        )

    def _provided(self, origin: _Origin) -> Iterator[str]:
        for answers in self._answers.values():
            yield from (f"{item.kind} {_name(item)}" for owner, item in answers if owner == origin)
        if origin in self._active.values():
            implemented = self._manager.get_hookcallers(self._manager.get_plugin(origin.name)) or ()
            hooks = [self._hooks[caller.name] for caller in implemented]
            yield from (hook.yields.kind for hook in hooks if hook.arguments)


@cache
def installed(disabled: frozenset[str] = frozenset()) -> Plugins:
    """Load every installed plugin, once per process.

    `disabled` are the names that a project turns off; POLSTER_DISABLE_PLUGINS adds to them.
    """
    plugins = Plugins()
    plugins.load(_entry_points(), disabled={*disabled, *_disabled_here()})
    return plugins


def installed_commands(disabled: frozenset[str] = frozenset()) -> Plugins:
    """Load the installed plugins that add commands, and no others."""
    plugins = Plugins()
    points = quickly(COMMAND_PREFIX)
    if points is None:
        found = [one for one in _entry_points() if one.name.startswith(COMMAND_PREFIX)]
        plugins.load(found, disabled={*disabled, *_disabled_here()})
    else:
        plugins.load(points, disabled={*disabled, *_disabled_here()})
    return plugins


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _disabled_here() -> set[str]:
    return {name.strip() for name in os.environ.get("POLSTER_DISABLE_PLUGINS", "").split(",")}


_DISABLE = "uninstall one of them, or name one in POLSTER_DISABLE_PLUGINS"


def _name(item: Item) -> str:
    return str(item.path) if isinstance(item, NewFile) else item.name


def _origin(point: EntryPoint | Point) -> _Origin:
    if point.dist is None:
        return _Origin(point.name, "unknown", "", point.value)
    return _Origin(point.name, point.dist.name, point.dist.version, point.value)


def _check_prefix(origin: _Origin, plugin: object) -> None:
    if hasattr(plugin, COMMANDS) and not origin.name.startswith(COMMAND_PREFIX):
        raise validation.MisfitError(
            f"it adds commands, and its entry point is called {origin.name}, "
            f"not {COMMAND_PREFIX}{origin.name}"
        )


def _hint(origin: _Origin, problem: str, cause: BaseException | None) -> str:
    """Say what to do about a plugin that is broken."""
    off = f"turn it off:  POLSTER_DISABLE_PLUGINS={origin.name}"
    if isinstance(cause, ModuleNotFoundError) and not (cause.name or "").startswith(OWN):
        return f"install what it needs:  pip install --upgrade {origin.distribution}; or {off}"
    if isinstance(cause, ImportError) or "of the hooks, and this Polster" in problem:
        return f"install versions that fit:  pip install --upgrade {origin.distribution} {OWN}"
    if cause is None:
        return f"uninstall one of them, or {off}"
    return f"upgrade it, tell its authors, or {off}"


def _rank(origin: _Origin) -> tuple[bool, str, str]:
    return (not origin.is_own, origin.name, origin.distribution)


def normalized(name: str) -> str:
    """Return a distribution's or an entry point's name in the one form to compare it in."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _words(origin: _Origin) -> set[str]:
    """Return what a person may call a plugin by: `storage-s3` is `s3`, too."""
    names = (normalized(origin.name), normalized(origin.distribution))
    return {name for full in names for name in (full, *_endings(full))}


def _endings(name: str) -> Iterator[str]:
    while "-" in name:
        name = name.partition("-")[2]
        yield name


__all__ = ["Offer", "PluginInfo", "Plugins", "Status", "installed", "installed_commands"]
