"""The options that plugins add to `polster init`: which flags, and who owns them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from polster_core.plugins.manager import Plugins
from polster_core.types import CicdGenerator, Contribution, Deployment, Option, StorageBackend

_TAKEN = frozenset(
    """cicd data-branch debug dry-run git help install-uv platform remote run runtime schedule setup
    start-dagster storage verbose version""".split()  # noqa: SIM905 - they read best as they are typed
)


@dataclass(frozen=True)
class Flag:
    """One flag of `polster init` that a plugin owns.

    `name` is its name without the dashes and the key of its answer. Where `contribution` is set,
    it counts only if that contribution of the given kind was chosen.
    """

    name: str
    option: Option
    plugin: str
    kind: type[Contribution] | None = None
    contribution: str | None = None


def deployment_flags(plugins: Plugins) -> list[Flag]:
    """List the flags of `polster add-deploy`."""
    return list(_of_kind(plugins, Deployment))


def flags(plugins: Plugins) -> list[Flag]:
    """List the flags, each once, those of storage first.

    A plugin that wants one that is taken is noted as broken.
    """
    found: dict[str, Flag] = {}
    offered = list(_offered(plugins))
    for flag in sorted(
        offered,
        key=lambda flag: (not plugins.is_own(flag.plugin), flag.name.startswith("no-")),
    ):
        if other := found.get(flag.name):
            plugins.blame(flag.plugin, f"--{flag.name} is a flag of the plugin {other.plugin}")
        elif flag.name.removeprefix("no-") in {*_TAKEN, *found}:
            plugins.blame(flag.plugin, f"--{flag.name} is a flag of polster init itself")
        else:
            found[flag.name] = flag
    return [
        flag
        for flag in offered
        if found.get(flag.name) is flag
        and (plugins.is_own(flag.plugin) or not plugins.is_broken(flag.plugin))
    ]


def variables_of(contribution: Contribution, answers: Mapping[str, str]) -> dict[str, str]:
    """Return what was answered, by the variables that the options of a contribution are for."""
    return {
        option.env: answer
        for option in contribution.options
        if option.env and (answer := answers.get(f"{contribution.name}-{option.name}")) is not None
    }


def _offered(plugins: Plugins) -> Iterator[Flag]:
    chosen: Sequence[type[StorageBackend | CicdGenerator]] = (StorageBackend, CicdGenerator)
    for kind in chosen:
        yield from _of_kind(plugins, kind)
    for name, option in plugins.init_options().items():
        yield Flag(name, option, plugins.owner(Option, name))


def _of_kind(
    plugins: Plugins, kind: type[StorageBackend | CicdGenerator | Deployment]
) -> Iterator[Flag]:
    for name, contribution in plugins.offers(kind).items():
        for option in contribution.options:
            flag = f"{name}-{option.name}"
            yield Flag(flag, option, plugins.owner(kind, name), kind, name)
