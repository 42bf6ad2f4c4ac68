"""Load and ask plugins; one broken plugin never stops the others.

Whatever is wrong with a plugin is noted under its name: `Plugins.broken` is what a command warns
of, and `Plugins.choose` makes it an error (exit code 4) when that very plugin is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from polster_core import hookspecs
from polster_core.errors import PluginError, UsageProblem
from polster_core.model.names import did_you_mean
from polster_core.plugins.info import PluginInfo, Status, hint_for
from polster_core.plugins.offers import KINDS, Answer, Offer, OfferT, name_of, settle
from polster_core.plugins.origin import Origin, normalized
from polster_core.plugins.registry import Registry
from polster_core.plugins.validation import Item
from polster_core.types import (
    AssetColumn,
    AssetTemplate,
    CicdGenerator,
    Command,
    Deployment,
    DoctorCheck,
    Executor,
    GitignoreLine,
    GuideSection,
    NewFile,
    Option,
    ProjectContext,
    StorageBackend,
    ValidationRule,
)

ToldT = TypeVar("ToldT", NewFile, GitignoreLine, GuideSection)
"""What hooks yield that are told of a project."""
_DISABLE = "uninstall one of them, or name one in POLSTER_DISABLE_PLUGINS"


class Plugins(Registry):
    """The plugins that were found and what they contribute."""

    def __init__(
        self, deprecated: Mapping[str, hookspecs.Deprecation] = hookspecs.DEPRECATED
    ) -> None:
        """Start empty: `load` or `register` fills it. `deprecated` is what still works."""
        super().__init__(deprecated)
        self._answers: dict[type[object], list[Answer]] = {}
        self._clashes: dict[tuple[type[object], str], str] = {}

    def storage_backends(self) -> dict[str, StorageBackend]:
        """Return the storage backends by name."""
        return self.offers(StorageBackend)

    def executors(self) -> dict[str, Executor]:
        """Return what runs steps on other machines, by name."""
        return self.offers(Executor)

    def deployments(self) -> dict[str, Deployment]:
        """Return the ways to run a project in production, by name."""
        return self.offers(Deployment)

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

    def doctor_checks(self) -> dict[str, DoctorCheck]:
        """Return the checks of `polster doctor` by name."""
        return self.offers(DoctorCheck)

    def asset_columns(self) -> dict[str, AssetColumn]:
        """Return the columns that `polster list-assets` may show, by name."""
        return self.offers(AssetColumn)

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return self.offers(Command)

    def project_files(self, context: Callable[[str], ProjectContext]) -> dict[str, list[NewFile]]:
        """Return the files that every project gets, by the plugin that writes them.

        `context` says what a plugin, by its name, may know.
        """
        answers: dict[str, list[NewFile]] = {}
        for plugin, file in self.told(NewFile, context):
            answers.setdefault(plugin, []).append(file)
        return answers

    def told(
        self, kind: type[ToldT], context: Callable[[str], ProjectContext]
    ) -> list[tuple[str, ToldT]]:
        """Return what plugins yield that are told of the project, each with its plugin.

        `context` says what a plugin, by its name, may know.
        """
        given = lambda origin: {"context": context(origin.name)}  # noqa: E731 - one expression
        return [
            (origin.name, item)
            for origin, item in self._ask(self._hook(kind), given)
            if isinstance(item, kind) and self._counts(origin)
        ]

    def offers(self, kind: type[OfferT]) -> dict[str, OfferT]:
        """Return what is offered of a kind, by name.

        A name that two plugins offer stays with Polster's own; where neither is Polster's, neither
        is used. Either way the problem is noted. A broken plugin is left out with all it offers.
        """
        if kind not in self._answers:
            asked = list(self._ask(self._hook(kind), lambda _: {}))
            found, clashes = settle(asked, self._isolation.blame)
            self._answers[kind] = found
            self._clashes.update({(kind, name): text for name, text in clashes.items()})
        offered = [
            item
            for origin, item in self._answers[kind]
            if isinstance(item, kind) and self._counts(origin)
        ]
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
        offering = {origin for origin, item in self._answers[kind] if name_of(item) == name}
        for origin in self._origins:
            problem = self._isolation.problems.get(origin)
            is_meant = name in origin.aliases or origin in offering
            if is_meant and (problem or origin in self._disabled):
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

    def is_broken(self, plugin: str) -> bool:
        """Whether a problem of an active plugin is known by now."""
        return self._active[plugin] in self._isolation.problems

    def cause(self, plugin: str) -> BaseException | None:
        """Return what an active plugin raised first, for a traceback."""
        return self._isolation.causes.get(self._active[plugin])

    def is_own(self, plugin: str) -> bool:
        """Whether the plugin came with Polster; nobody that is not active did."""
        return plugin in self._active and self._active[plugin].is_own

    def strangers(self, names: Iterable[str]) -> list[str]:
        """Return the distributions of those of the plugins that do not come with Polster."""
        found = {self._active[name] for name in names if name in self._active}
        return sorted({one.distribution for one in found if one.is_installed and not one.is_own})

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
            hint=self._hint(origin, problem, cause) if problem else None,
            module=origin.module,
        )

    def _hint(self, origin: Origin, problem: str, cause: BaseException | None) -> str:
        same = [one for one in self._origins if normalized(one.name) == normalized(origin.name)]
        return hint_for(origin, problem, cause, shares_name=len(same) > 1)

    def _provided(self, origin: Origin) -> Iterator[str]:
        for answers in self._answers.values():
            yield from (f"{item.kind} {name_of(item)}" for who, item in answers if who == origin)
        if origin in self._active.values():
            hooks = [self._hooks[name] for name in self._implemented(origin)]
            yield from (hook.yields.kind for hook in hooks if hook.arguments)
