"""`polster add-cicd`: write pipelines into a project that exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import click

from polster_core.cli import console, params, prompts
from polster_core.cli.context import plugins_here, warn_of_broken
from polster_core.cli.execute import NOTHING, noting_closed, run_steps, say_next, show, show_diff
from polster_core.cli.options.answer import Typed
from polster_core.cli.options.existing import Given
from polster_core.cli.working_project import current_project, writing
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model import platforms
from polster_core.plan.apply import apply
from polster_core.plan.definition import Plan
from polster_core.plan.render import summary, visible
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import flags
from polster_core.project import manifest
from polster_core.scaffold import cicd, pinned
from polster_core.types import CicdGenerator
from polster_core.upgrade.preconditions import check_plugins


def command() -> click.Command:
    """Build the command from what is installed."""
    plugins = plugins_here()
    kind = params.PlatformChoice(plugins)

    added = [flag for flag in flags(plugins) if flag.kind is CicdGenerator]

    def callback(
        names: tuple[str, ...],
        schedule: str | None,
        data_branch: str | None,
        deploy: str | None,
        *,
        dry_run: bool,
        force: bool,
        **typed: Typed,
    ) -> None:
        given = Given(added, typed, "polster add-cicd")
        own = {"schedule": schedule, "data-branch": data_branch, platforms.IMAGE: deploy}
        said = {name: text for name, text in own.items() if text}
        _do(plugins, kind, names, said, given, dry_run=dry_run, force=force)

    return params.GroupedCommand(
        "add-cicd",
        callback=callback,
        params=[
            click.Argument(["names"], type=kind, nargs=-1, metavar="PLATFORM..."),
            params.schedule_option(),
            params.data_branch_option(),
            click.Option(
                ["--deploy"],
                metavar="DEPLOYMENT",
                help="Build the image of a deployment and push it, after the checks of a push to "
                "the default branch; none: no more.",
            ),
            click.Option(["--force"], is_flag=True, help="Replace files that you have edited."),
            click.Option(["--dry-run"], is_flag=True, help="Show what would be written, and stop."),
            *params.options_for(added, {CicdGenerator: "platform"}),
        ],
        help="Write the pipeline of a CI/CD platform, and its guide.",
        epilog=f"Platforms: {', '.join(plugins.cicd_generators()) or 'none is installed'}.",
    )


def _do(
    plugins: Plugins,
    kind: params.PlatformChoice,
    typed: Sequence[str],
    said: Mapping[str, str],
    given: Given,
    *,
    dry_run: bool,
    force: bool,
) -> None:
    """Plan, show what would be lost, ask, write."""
    project = current_project()
    names = platforms.split(",".join(typed)) or [_ask_platform(kind)]
    asks = not force and prompts.is_possible()
    known = manifest.find(project.root)
    if known is not None:
        check_plugins(known, plugins)
    answers = given.answers(names, known.answers if known else {}, asks=prompts.is_possible())
    with writing(project, later=asks or dry_run):
        planned = cicd.plan(project, plugins, names, given={**answers, **said}, force=force)
        kept = [] if force else cicd.edited_guides(project, names)
        warn_of_broken(plugins)
        if dry_run:
            show(visible(planned))
            return
        edited = cicd.edited(project, planned)
        if edited and not force and not _may_replace(planned, edited):
            return
        with noting_closed(planned):
            apply(planned)
    written = replace(visible(planned), steps=())
    for line in summary(written) if planned else [NOTHING]:
        click.echo(line)
    done = run_steps(planned.steps)
    for path in kept:
        click.echo(f"{path} stays as you have edited it; --force replaces it")
    if lacks := pinned.unpinned(project, names):
        console.note(lacks)
    say_next(
        [
            *((f"docs/cicd/{name}.md", "what to set up, once") for name in names),
            ("git add --all && git commit", "and push: the pipeline runs"),
        ]
    )
    if not done:
        click.get_current_context().exit(1)


def _ask_platform(kind: params.PlatformChoice) -> str:
    if not prompts.is_possible():
        raise UsageProblem("missing argument PLATFORM", hint=f"there is  {', '.join(kind.names)}")
    return prompts.choice("Which platform?", kind.summaries)


def _may_replace(planned: Plan, edited: Sequence[PurePosixPath]) -> bool:
    """Show what would be lost and ask; raises PolsterError where nobody can answer."""
    show_diff(replace(planned, changes=tuple(c for c in planned if c.path in edited)))
    files = " and ".join(map(str, edited))
    if not prompts.is_possible():
        raise PolsterError(
            f"{files} {'is' if len(edited) == 1 else 'are'} not as Polster would write it; "
            "nothing was changed",
            hint="--force replaces what is there",
        )
    if prompts.yes(f"Replace {files}?", default=False):
        return True
    click.echo("nothing was changed")
    return False
