"""Parameters whose values come from plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from polster_core.errors import UsageProblem
from polster_core.model import platforms
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import Flag
from polster_core.types import (
    AssetTemplate,
    CicdGenerator,
    Contribution,
    Executor,
    Option,
    StorageBackend,
)

if TYPE_CHECKING:
    Text = click.ParamType[str]
else:
    Text = click.ParamType  # it is generic from click 8.4 on


class PluginChoice(Text):
    """One of the names that plugins offer; asking for a broken one says why it is broken."""

    name = "name"

    def __init__(
        self,
        plugins: Plugins,
        kind: type[StorageBackend | CicdGenerator | AssetTemplate | Executor],
        *,
        also: Sequence[str] = (),
    ) -> None:
        """Take the names of what is offered of a kind, and those in `also`."""
        self._plugins, self._kind, self._also = plugins, kind, tuple(also)

    @property
    def names(self) -> list[str]:
        """What may be chosen."""
        return [*self._also, *self._plugins.offers(self._kind)]

    @property
    def summaries(self) -> Mapping[str, str]:
        """What may be chosen, each with a line that explains it."""
        offers = self._plugins.offers(self._kind)
        return {
            **dict.fromkeys(self._also, ""),
            **{name: offer.summary for name, offer in offers.items()},
        }

    def convert(self, value: Any, _: click.Parameter | None, __: click.Context | None) -> str:
        """Return the name; raises PluginError or UsageProblem if it cannot be chosen."""
        if value not in self._also:
            self._plugins.choose(self._kind, value)
        return str(value)

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """Show the names in `--help`."""
        return f"[{'|'.join(self.names)}]"

    def shell_complete(self, *args: Any) -> list[CompletionItem]:
        """Complete a name, with the line that explains it."""
        found = self.summaries.items()
        return [
            CompletionItem(name, help=text) for name, text in found if name.startswith(args[-1])
        ]


class PlatformChoice(PluginChoice):
    """CI/CD platforms by either of their names, separated by commas."""

    name = "names"

    def __init__(self, plugins: Plugins, *, also: Sequence[str] = ()) -> None:
        """Take the platforms that plugins offer, and those in `also`."""
        super().__init__(plugins, CicdGenerator, also=also)

    def convert(self, value: Any, _: click.Parameter | None, __: click.Context | None) -> str:
        """Return the platforms' own names; raises PluginError or UsageProblem for any other."""
        from polster_core.scaffold import cicd  # which knows all of a project

        typed = [name.strip() for name in str(value).split(",")]
        return platforms.join(
            name if name in self._also else cicd.named(self._plugins, name) for name in typed
        )


class CronLine(Text):
    """A cron line with five fields."""

    name = "cron"

    def convert(self, value: Any, _: click.Parameter | None, __: click.Context | None) -> str:
        """Return it with single spaces; raises UsageProblem with what is wrong."""
        if problem := platforms.cron_problem(str(value)):
            raise UsageProblem(
                f"--schedule: {value!r} is no cron line: {problem}",
                hint='for example  --schedule "30 4 * * 1-5"  for 04:30 UTC on working days',
            )
        return " ".join(str(value).split())


def schedule_option(*, hidden: bool = False) -> click.Option:
    """Make the option that says when a pipeline runs by itself."""
    return click.Option(
        ["--schedule"],
        type=CronLine(),
        hidden=hidden,
        metavar="CRON",
        help=f"When the pipeline runs by itself, in UTC.  [default: {platforms.DAILY}]",
    )


class BranchName(Text):
    """A branch that git, YAML and a shell take as it is."""

    name = "branch"

    def convert(self, value: Any, _: click.Parameter | None, __: click.Context | None) -> str:
        """Return it; raises UsageProblem for what could mean something else somewhere."""
        if not platforms.is_branch_name(str(value)):
            raise UsageProblem(
                f"--data-branch: {value!r} is no name for the branch of the data",
                hint="letters, digits, `-`, `_`, `.` and `/`, for example  --data-branch data",
            )
        return str(value)


def data_branch_option(*, hidden: bool = False) -> click.Option:
    """Make the option that says to which branch a pipeline commits local data."""
    return click.Option(
        ["--data-branch"],
        type=BranchName(),
        hidden=hidden,
        metavar="BRANCH",
        help="Where the pipeline commits local data; main is the old way.  [default: data]",
    )


class GroupedOption(click.Option):
    """An option that `--help` lists under a heading of its own."""

    heading = ""


class GroupedCommand(click.Command):
    """A command whose options are listed in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then each group."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                heading = getattr(parameter, "heading", "") or "Options"
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def options_for(
    flags: Iterable[Flag], headings: Mapping[type[Contribution], str]
) -> list[click.Option]:
    """Make click options of plugins' flags; `headings` names the group of each kind's."""
    return [_option(flag, headings) for flag in flags]


def parameter_name(flag: Flag) -> str:
    """Return the name under which click hands a flag's value over."""
    return f"plugin_{flag.name.replace('-', '_')}"


def _option(flag: Flag, headings: Mapping[type[Contribution], str]) -> click.Option:
    option = flag.option
    names = f"--{flag.name}/--no-{flag.name}" if option.flag else f"--{flag.name}"
    made = GroupedOption(
        [names, parameter_name(flag)],
        type=None if option.flag else click.Choice(option.choices) if option.choices else str,
        default=None,
        help=option.help + _default_note(option),
        hide_input=option.secret,
        envvar=f"POLSTER_INIT_{flag.name.replace('-', '_').upper()}",
        show_envvar=option.secret,  # what is typed on the line is seen by others
    )
    if flag.kind:
        made.heading = f"Options of {headings[flag.kind]} {flag.contribution}"
    return made


def _default_note(option: Option) -> str:
    """Say what is taken when the flag is not given."""
    if option.flag:
        return f"  [default: {'yes' if option.default == 'true' else 'no'}]"
    if option.default and not option.secret:
        return f"  [default: {option.default}]"
    return "  [required]" if option.required else ""
