"""Load and ask plugins; one broken plugin never stops the others.

Whatever is wrong with a plugin is noted under its name: `Plugins.broken` is what a command warns
of, and `Plugins.choose` makes it an error (exit code 4) when that very plugin is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING

import pluggy

from polster_core import hookspecs
from polster_core.errors import PluginError, UsageProblem
from polster_core.model.names import did_you_mean
from polster_core.plugins import validation
from polster_core.plugins.discovery import COMMAND_PREFIX, GROUP, Point
from polster_core.plugins.info import PluginInfo, Status, hint_for
from polster_core.plugins.isolation import Isolation
from polster_core.plugins.offers import KINDS, Answer, Offer, OfferT, name_of, settle
from polster_core.plugins.origin import Origin, normalized
from polster_core.plugins.validation import Hook, Item
from polster_core.types import (
    AssetTemplate,
    CicdGenerator,
    Command,
    NewFile,
    Option,
    ProjectContext,
    StorageBackend,
    ValidationRule,
)

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

SLOW = 1.0
"""Seconds after which importing a plugin is worth a word."""
_COMMANDS, _PROJECT_FILES = "polster_commands", "polster_project_files"
_DISABLE = "uninstall one of them, or name one in POLSTER_DISABLE_PLUGINS"


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
        self._origins: list[Origin] = []
        self._active: dict[str, Origin] = {}
        self._disabled: set[Origin] = set()
        self._isolation = Isolation()
        self._answers: dict[type[object], list[Answer]] = {}
        self._clashes: dict[tuple[type[object], str], str] = {}

    def load(self, found: Iterable[EntryPoint | Point], *, disabled: Iterable[str] = ()) -> None:
        """Load entry points one by one, Polster's own first, noting every failure.

        `disabled` are names of entry points or of distributions, which are then not imported.
        """
        off = {normalized(name) for name in disabled}
        points = [(Origin.of(point), point) for point in found]
        for origin, point in sorted(points, key=lambda pair: pair[0].rank):
            if off & origin.names:
                self._origins.append(origin)
                self._disabled.add(origin)
            else:
                self._add(origin, point.load)

    def register(
        self, plugin: object, name: str, *, distribution: str = "unpackaged", version: str = ""
    ) -> None:
        """Add a plugin that is no entry point: a module, or any object with hooks."""
        self._add(Origin(name, distribution, version), lambda: plugin)

    def storage_backends(self) -> dict[str, StorageBackend]:
        """Return the storage backends by name."""
        return self.offers(StorageBackend)

    def cicd_generators(self) -> dict[str, CicdGenerator]:
        """Return the CI/CD platforms by name."""
        return self.offers(CicdGenerator)

    def asset_templates(self) -> dict[str, AssetTemplate]:
        """Return the asset templates by name."""
        return self.offers(AssetTemplate)

    def init_options(self) -> dict[str, Option]:
        """Return the options that `polster init` gets, by name."""
        return self.offers(Option)

    def validation_rules(self) -> dict[str, ValidationRule]:
        """Return the validation rules by name."""
        return self.offers(ValidationRule)

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return self.offers(Command)

    def project_files(self, context: ProjectContext) -> dict[str, list[NewFile]]:
        """Return the files that every project gets, by the plugin that writes them."""
        answers: dict[str, list[NewFile]] = {}
        for origin, item in self._ask(self._hooks[_PROJECT_FILES], {"context": context}):
            if isinstance(item, NewFile):
                answers.setdefault(origin.name, []).append(item)
        return answers

    def offers(self, kind: type[OfferT]) -> dict[str, OfferT]:
        """Return what is offered of a kind, by name.

        A name that two plugins offer stays with Polster's own; where neither is Polster's, neither
        is used. Either way the problem is noted.
        """
        if kind not in self._answers:
            found, clashes = settle(list(self._ask(self._hook(kind), {})), self._isolation.blame)
            self._answers[kind] = found
            self._clashes.update({(kind, name): text for name, text in clashes.items()})
        offered = [item for _, item in self._answers[kind] if isinstance(item, kind)]
        return {item.name: item for item in sorted(offered, key=lambda item: item.name)}

    def owner(self, kind: type[Offer], name: str) -> str:
        """Return the name of the plugin that offers `name`; it must be offered."""
        self.offers(kind)
        return next(o.name for o, item in self._answers[kind] if name_of(item) == name)

    def choose(self, kind: type[OfferT], name: str) -> OfferT:
        """Return what is offered as `name`.

        Raises PluginError if the plugin that would offer it is broken, clashes or is disabled,
        and UsageProblem, with the nearest name, if there is none.
        """
        offers = self.offers(kind)
        if name in offers:
            return offers[name]
        if clash := self._clashes.get((kind, name)):
            raise PluginError(f"{kind.kind} {name}: {clash}", hint=_DISABLE)
        for origin in self._origins:
            problem = self._isolation.problems.get(origin)
            if name in origin.aliases and (problem or origin in self._disabled):
                raise PluginError(
                    f"{kind.kind} {name}: the plugin {origin.name} ({origin}) is not used: "
                    f"{problem or 'it is disabled'}",
                    hint="see  polster plugins",
                )
        raise UsageProblem(
            f"there is no {kind.kind} {name}{did_you_mean(name, offers)}",
            hint=f"there is  {', '.join(offers)}" if offers else "see  polster plugins",
        )

    def offered(self, kind: str, name: str, plugin: str) -> Item | None:
        """Return what a plugin offers by name, used or not; `kind` is the word in `provides`."""
        for answers in self._answers.values():
            for origin, item in answers:
                if (item.kind, name_of(item), origin.name) == (kind, name, plugin):
                    return item
        return None

    def blame(self, plugin: str, problem: str) -> None:
        """Note what is wrong with an active plugin; the first problem stays."""
        self._isolation.blame(self._active[plugin], problem)

    def cause(self, plugin: str) -> BaseException | None:
        """Return what an active plugin raised first, for a traceback."""
        return self._isolation.causes.get(self._active[plugin])

    def is_own(self, plugin: str) -> bool:
        """Whether the plugin came with Polster; nobody that is not active did."""
        return plugin in self._active and self._active[plugin].is_own

    def versions(self) -> dict[str, str]:
        """Return the active plugins and the distributions that they come from."""
        return {name: str(origin) for name, origin in sorted(self._active.items())}

    @property
    def infos(self) -> list[PluginInfo]:
        """Every plugin found, by name, after every hook without arguments was called."""
        for kind in KINDS:
            self.offers(kind)
        return [self._info(origin) for origin in sorted(self._origins, key=lambda o: o.name)]

    @property
    def broken(self) -> list[PluginInfo]:
        """The plugins of which a problem is known by now."""
        problems = self._isolation.problems
        return [self._info(origin) for origin in self._origins if origin in problems]

    @property
    def noted(self) -> list[PluginInfo]:
        """The plugins of which a problem or something worth knowing is known by now."""
        known = {*self._isolation.problems, *self._isolation.notes}
        return [self._info(origin) for origin in self._origins if origin in known]

    @property
    def names(self) -> set[str]:
        """The names of all that was found, and of their distributions, normalized."""
        return {name for origin in self._origins for name in origin.names}

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
            if implementation.plugin_name == origin.name
        }

    def _ask(self, hook: Hook, arguments: Mapping[str, object]) -> Iterator[Answer]:
        """Yield what the plugins answer, Polster's own first; nothing of one that fails."""
        answers: list[Answer] = []
        for implementation in getattr(self._manager.hook, hook.name).get_hookimpls():
            origin = self._active[implementation.plugin_name]
            with self._isolation.running(origin, f"{hook.name}: "):
                given = [copy(arguments[name]) for name in implementation.argnames]
                items = validation.items(implementation.function(*given), hook.yields)
                if not origin.is_own:
                    for item in items:
                        validation.check_contents(item, origin.distribution, origin.module)
                answers.extend((origin, item) for item in items)
        yield from sorted(answers, key=lambda answer: answer[0].rank)

    def _info(self, origin: Origin) -> PluginInfo:
        problem = self._isolation.problems.get(origin)
        status = Status.BROKEN if problem else Status.ACTIVE
        cause = self._isolation.causes.get(origin)
        return PluginInfo(
            name=origin.name,
            distribution=origin.distribution,
            version=origin.version,
            status=Status.DISABLED if origin in self._disabled else status,
            problem=problem,
            provides=tuple(self._provided(origin)),
            notes=tuple(self._isolation.notes.get(origin, ())),
            hint=hint_for(origin, problem, cause) if problem else None,
            module=origin.module,
        )

    def _provided(self, origin: Origin) -> Iterator[str]:
        for answers in self._answers.values():
            yield from (f"{item.kind} {name_of(item)}" for who, item in answers if who == origin)
        if origin in self._active.values():
            hooks = [self._hooks[name] for name in self._implemented(origin)]
            yield from (hook.yields.kind for hook in hooks if hook.arguments)


def _check_prefix(origin: Origin, plugin: object) -> None:
    if hasattr(plugin, _COMMANDS) and not origin.name.startswith(COMMAND_PREFIX):
        raise validation.MisfitError(
            f"it adds commands, and its entry point is called {origin.name}, "
            f"not {COMMAND_PREFIX}{origin.name}"
        )
