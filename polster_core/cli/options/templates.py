"""The flags that asset templates add to `polster add-asset`, and their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from polster_core.cli.options.answer import Typed, settle
from polster_core.cli.params import GroupedOption
from polster_core.errors import UsageProblem
from polster_core.plugins.manager import Plugins
from polster_core.types import AssetTemplate, Option

TAKEN = frozenset(
    """data debug dependencies description dry-run force help layer name partition start template
    verbose version""".split()  # noqa: SIM905 - they read best as they are typed
)
"""Flags that no template may have: those of the command itself."""


@dataclass(frozen=True)
class SharedFlag:
    """One flag, and the templates that know it, each with its words."""

    option: Option
    templates: tuple[str, ...]
    helps: tuple[str, ...] = ()

    @property
    def help(self) -> str:
        """What explains it: the words of all templates, with their names where they differ."""
        by_words: dict[str, list[str]] = {}
        for template, words in zip(self.templates, self.helps, strict=True):
            by_words.setdefault(words, []).append(template)
        if len(by_words) == 1:
            return self.option.help
        return " ".join(f"{', '.join(names)}: {words}" for words, names in by_words.items())

    @property
    def parameter(self) -> str:
        """The name under which click hands its value over."""
        return f"template_{self.option.name.replace('-', '_')}"


def shared_flags(plugins: Plugins) -> list[SharedFlag]:
    """List the flags of all templates; one that clashes is noted as its plugin's problem."""
    found: dict[str, list[tuple[str, Option]]] = {}
    for name, template in plugins.asset_templates().items():
        for option in template.options:
            problem = _clash(option, [other for _, other in found.get(option.name, ())])
            if problem:
                plugins.blame(plugins.owner(AssetTemplate, name), f"template {name}: {problem}")
            else:
                found.setdefault(option.name, []).append((name, option))
    return [
        SharedFlag(
            owners[0][1],
            tuple(name for name, _ in owners),
            tuple(option.help for _, option in owners),
        )
        for owners in found.values()
    ]


def click_options(flags: list[SharedFlag]) -> Iterator[click.Option]:
    """Make the click options; `--help` lists them by the templates that know them."""
    for flag in flags:
        option = flag.option
        switch = f"--{option.name}/--no-{option.name}"
        made = GroupedOption(
            [switch if option.flag else f"--{option.name}", flag.parameter],
            type=None if option.flag else str,
            default=None,
            help=flag.help,
            hide_input=option.secret,
            show_envvar=False,
        )
        made.heading = f"Options of --template {', '.join(flag.templates)}"
        yield made


def answers(
    template: AssetTemplate,
    flags: list[SharedFlag],
    typed: Mapping[str, Typed],
    *,
    asks: bool,
) -> dict[str, str]:
    """Settle the options of a template: typed, asked for, or the default.

    Raises UsageProblem for an option that another template knows, for one that is none of its
    choices, and for one that is missing.
    """
    own = {option.name: option for option in template.options}
    for flag in flags:
        if flag.option.name not in own and typed[flag.parameter] is not None:
            others = " or ".join(f"--template {name}" for name in flag.templates)
            raise UsageProblem(
                f"--{flag.option.name} belongs to {others}",
                hint=f"add  --template {flag.templates[0]}",
            )
    given = {flag.option.name: typed[flag.parameter] for flag in flags}
    found = {name: settle(option, name, given.get(name), asks=asks) for name, option in own.items()}
    if lacking := [f"--{name}" for name, o in own.items() if o.required and not found[name]]:
        raise UsageProblem(
            f"--template {template.name} needs {' and '.join(lacking)}",
            hint="see  polster add-asset --help",
        )
    return {name: answer for name, answer in found.items() if answer is not None}


def _clash(option: Option, others: list[Option]) -> str | None:
    if option.name in TAKEN:
        return f"--{option.name} is a flag of polster add-asset itself"
    if any(other.flag is not option.flag for other in others):
        return f"--{option.name} is a switch in one template and takes a value in another"
    return None
