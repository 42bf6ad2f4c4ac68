"""The `polster` command: commands are imported when they run, and errors become text here.

A command lives in a module of `polster_core.cli.commands`, which has `command`: a `click.Command`,
or a function without arguments that builds one. It raises PolsterError for what the user can fix;
any other exit code than 0 it sets with `click.get_current_context().exit(code)`.
"""

from __future__ import annotations

import copy
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import polster_core
from polster_core.cli import commands, console
from polster_core.cli.commands import COMMANDS
from polster_core.errors import PolsterError
from polster_core.model import layout
from polster_core.plugins import discovery

if TYPE_CHECKING:
    from polster_core.cli.added import Added

HEADING = "Commands of plugins"
PASSES_EVERYTHING_ON = frozenset({"run"})
"""Commands whose flags are all somebody else's."""


_FORESEEN = (
    *(PolsterError, click.ClickException, click.Abort, click.exceptions.Exit),
    *(BrokenPipeError, EOFError),
)
"""What a command may raise to end as it wants to."""


class Session:
    """What the global flags say; `click.get_current_context().obj` is one."""

    def __init__(self) -> None:
        """Start with everything off."""
        self.verbose = False
        self.debug = False


class LazyGroup(click.Group):
    """A group that imports a command only when it is about to run.

    Its own commands are those of the table; no plugin is looked for while one of them runs. Those
    that plugins add come after them.
    """

    def __init__(self, *, table: Mapping[str, str], **kwargs: Any) -> None:
        """Keep the table; import nothing."""
        super().__init__(**kwargs)
        self.table = table

    def added(self) -> Mapping[str, Added]:
        """Return the commands of plugins."""
        points = discovery.quickly(discovery.COMMAND_PREFIX)
        says_more = _project_says_more()
        if points == [] and not says_more:
            return {}
        from polster_core.cli import command_cache

        remembered = None if says_more else points
        if (
            remembered is not None
            and (known := command_cache.read(remembered, self.table)) is not None
        ):
            return known
        from polster_core.cli import plugin_commands

        found = plugin_commands.commands(self.table)
        if remembered is not None:
            command_cache.write(remembered, self.table, found)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table, then those of plugins."""
        del ctx
        return [*self.table, *self.added()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, and let it take the global flags, too."""
        if cmd_name in self.table:
            found = importlib.import_module(
                f"{commands.__name__}.{cmd_name.replace('-', '_')}"
            ).command
            command: click.Command = copy.copy(
                found if isinstance(found, click.Command) else found()
            )
        elif added := self.added().get(cmd_name):
            if ctx.resilient_parsing:  # a shell that completes: nobody asked to run it
                return click.Command(cmd_name, help=added.summary)
            command = added.build()
        else:
            return None
        if cmd_name not in PASSES_EVERYTHING_ON:
            command.params = [*command.params, *_global_options(hidden=True)]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the help lines of the table, and those of plugins under a heading of their own."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))
        if added := self.added():
            with formatter.section(HEADING):
                formatter.write_dl([(name, one.summary) for name, one in added.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; raises UsageProblem with the nearest one."""
        name = args[0]
        if name not in self.table and not name.startswith("-") and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            if name not in known:
                from polster_core.errors import UsageProblem
                from polster_core.model.names import did_you_mean

                raise UsageProblem(
                    f"there is no command {name}{did_you_mean(name, known)}",
                    hint="see them all with  polster --help",
                )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a plugin's command raises unforeseen has its name on it."""
        try:
            return super().invoke(ctx)
        except _FORESEEN:
            raise
        except Exception as error:
            self._attribute(ctx, error)
            raise

    def _attribute(self, ctx: click.Context, error: Exception) -> None:
        """Raise PluginError if it was a plugin's command that failed."""
        name = ctx.invoked_subcommand
        if name and name not in self.table and (added := self.added().get(name)):
            raise added.failed(error) from error


def _project_says_more() -> bool:
    """Whether the project around us seems to have plugins, or to turn some off; one look."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        try:
            text = (folder / "pyproject.toml").read_bytes()
        except OSError:
            continue
        return b"[tool.polster" in text and (b"\nplugins" in text or b"disable-plugins" in text)
    return False


def _global_options(*, hidden: bool = False) -> list[click.Option]:
    return [
        click.Option(
            ["--verbose"],
            is_flag=True,
            expose_value=False,
            hidden=hidden,
            callback=_remember("verbose"),
            help="Say more about what is done.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            hidden=hidden,
            callback=_remember("debug"),
            help="Show tracebacks.",
        ),
    ]


def _remember(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Return a callback that keeps a global flag, wherever on the line it stands."""

    def keep(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
        if value:
            setattr(ctx.find_object(Session), name, True)

    return keep


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not ctx.resilient_parsing:
        click.echo(f"polster {polster_core.__version__}")
        ctx.exit()


polster = LazyGroup(
    name="polster",
    table=COMMANDS,
    help="Write Dagster + Polars projects in the medallion layout, and look after their assets.",
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version.",
        ),
        *_global_options(),
    ],
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "POLSTER",
        "max_content_width": 100,
    },
)


def main() -> NoReturn:
    """Run the command line of this process and end it."""
    for name in ("SIGTERM", "SIGHUP"):  # to be told to stop is to tidy up first, as with Ctrl-C
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop)
    sys.exit(dispatch(sys.argv[1:]))


def _stop(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def dispatch(args: Sequence[str]) -> int:
    """Run one command line and return its exit code; every failure has become text by then."""
    session = Session()
    layout.use()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a character
    try:
        code = _invoke(args, session)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - this is where all errors end
        code = console.report(error, debug=session.debug)
    finally:
        layout.use()
    return code


def _invoke(args: Sequence[str], session: Session) -> int:
    if instruction := os.environ.get("_POLSTER_COMPLETE"):
        from polster_core.cli import completion

        return completion.complete(polster, instruction)
    color = False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None
    try:
        with polster.make_context("polster", list(args), obj=session, color=color) as context:
            polster.invoke(context)
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    return 0
