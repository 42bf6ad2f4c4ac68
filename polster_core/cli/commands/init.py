"""`polster init`: ask for what is missing, plan, show or do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from polster_core import delivery
from polster_core.cli import params
from polster_core.cli.commands import setup
from polster_core.cli.context import warn_of_broken
from polster_core.cli.execute import run_steps, say, say_next, show_summary
from polster_core.cli.options.project import HEADINGS, Answers, InitArguments
from polster_core.cli.working_project import undo_interrupted
from polster_core.environment import git, project_python, venv
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model import platforms
from polster_core.model.names import check_project_name
from polster_core.plan.apply import applied, tidy_beside, was_built_by_killed
from polster_core.plan.definition import Plan, Step, draft
from polster_core.plugins.installed import installed
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import flags
from polster_core.scaffold import project
from polster_core.types import StorageBackend


def command() -> click.Command:
    """Build the command from what is installed."""
    plugins = installed()
    storage = params.PluginChoice(plugins, StorageBackend)
    cicd = params.PlatformChoice(plugins, also=[platforms.NONE])
    added = flags(plugins)

    @click.pass_obj
    def callback(session: object, /, name: str | None, **typed: Any) -> None:
        options = {flag.name: typed.pop(params.parameter_name(flag)) for flag in added}
        arguments = InitArguments(
            **typed,
            verbose=bool(getattr(session, "verbose", False)),
            options=options,
        )
        _do(name, arguments, Answers(plugins, storage, cicd, arguments), plugins)

    return params.GroupedCommand(
        "init",
        callback=callback,
        params=[
            click.Argument(["name"], required=False),
            click.Option(["--storage"], type=storage, help="Where data is kept.  [default: local]"),
            *_cicd_options(cicd),
            *_own_options(),
            *params.options_for(added, HEADINGS),
        ],
        help="Create a project in the folder NAME.",
    )


def _cicd_options(cicd: params.PlatformChoice) -> Iterator[click.Option]:
    """Yield the options for the pipeline; where no plugin offers one, they are not shown."""
    there_are_none = cicd.names == [platforms.NONE]
    yield click.Option(
        ["--cicd"],
        type=cicd,
        multiple=True,
        hidden=there_are_none,
        help="Which pipeline to write; several are separated by commas.  [default: none]",
    )
    yield click.Option(["--platform"], hidden=True, help="The older word for --cicd.")
    yield params.schedule_option(hidden=there_are_none)


def _own_options() -> Iterator[click.Option]:
    def switch(name: str, text: str, *, default: bool | None = None) -> click.Option:
        return click.Option([f"--{name}/--no-{name}"], default=default, help=text)

    def flag(name: str, text: str, *more: str) -> click.Option:
        return click.Option([f"--{name}", *more], is_flag=True, help=text)

    yield click.Option(
        ["--runtime"],
        type=click.Choice(delivery.DELIVERIES),
        default="vendored",
        show_default=True,
        help="Hold the runtime as code in src/polster_runtime, or depend on polster-runtime.",
    )
    yield switch("git", "Make a git repository with a first commit.  [default: yes]")
    yield flag("remote", "Create a private repository at GitHub, GitLab or Azure DevOps, and push.")
    yield switch("setup", "Create .venv and install what the project needs.", default=True)
    yield switch("install-uv", "Install uv first, if it is missing.  [default: no]")
    yield flag("run", "Run the pipeline at once.")
    yield flag("start-dagster", "Open the Dagster UI afterwards.")
    yield flag("dry-run", "Show what would be written, and stop.")


def _do(name: str | None, arguments: InitArguments, answers: Answers, plugins: Plugins) -> None:
    """Check, ask, plan, write, run."""
    _refuse_contradictions(arguments)
    name = check_project_name(answers.name() if name is None else name)
    root = Path.cwd() / name
    is_left = _check_target(root)
    request = answers.request(name)
    generated = project.files(plugins, request)
    warn_of_broken(plugins)
    plan = draft(root, generated, steps=_steps(root, arguments, answers, request))
    if is_left and any(True for _ in plan):
        raise _is_not_empty(root, "polster setup  in it: an init that was killed had written it")
    if arguments.dry_run:
        show_summary(plan, prefix=f"{name}/", verbose=arguments.verbose)
        return
    context = click.get_current_context()
    with applied(plan):
        say(_written(plan, is_left=is_left))
        if not run_steps(plan.steps):
            context.exit(1)
    if is_left:
        tidy_beside(root)
    samples = request.answers.get("sample-assets") == "true"
    has_run = arguments.run and not arguments.start_dagster
    if has_run:
        click.echo()
        if code := project_python.run(root, [], returns=True):
            context.exit(code)
    _say_next(name, samples=samples, is_set_up=arguments.setup, has_run=has_run)
    if arguments.start_dagster:
        click.echo()
        context.exit(project_python.run(root, _ui_arguments(arguments)))


def _refuse_contradictions(arguments: InitArguments) -> None:
    if not arguments.setup:
        for flag in ("run", "start_dagster", "install_uv"):
            if getattr(arguments, flag):
                name = flag.replace("_", "-")
                raise UsageProblem(f"--{name} needs the environment: leave out --no-setup")
    if arguments.remote and arguments.git is False:
        raise UsageProblem("--remote needs a repository: leave out --no-git")


def _steps(
    root: Path, arguments: InitArguments, answers: Answers, request: project.ProjectRequest
) -> Iterator[Step]:
    """Yield what comes after the files, in order."""
    name = root.name
    if arguments.setup:
        if answers.install_uv():
            yield Step(
                name="install",
                summary="uv, with pip",
                run=lambda: setup.add_uv(verbose=arguments.verbose),
            )
        yield Step(
            name="create",
            target=f"{name}/.venv",
            summary=f"with {'uv' if venv.find_uv() else 'venv and pip'}",
            run=lambda: setup.build(root, f"{name}/.venv", verbose=arguments.verbose),
        )
    if answers.git(root) or (arguments.git is None and git.is_unborn(root)):
        yield Step(name="git", summary="initialize, first commit", run=lambda: git.initialize(root))
    if arguments.remote:
        host = answers.host(request)
        yield Step(
            name="remote",
            summary=git.plan_remote(host),
            run=lambda: git.publish(root, name, host),
        )


def _ui_arguments(arguments: InitArguments) -> list[str]:
    return ["--ui"] if arguments.run else ["--no-materialize", "--ui"]


def _check_target(root: Path) -> bool:
    """Return whether an init that was killed has written the project.

    Raises PolsterError unless a project can be put there.
    """
    undo_interrupted(root)
    if root.is_dir():
        if any(root.iterdir()):
            if was_built_by_killed(root):
                return True
            raise _is_not_empty(root, "choose another name")
    elif os.path.lexists(root):
        raise PolsterError(f"{root.name} exists and is not a directory; nothing was changed")
    return False


def _is_not_empty(root: Path, hint: str) -> PolsterError:
    return PolsterError(f"{root.name}/ exists and is not empty; nothing was changed", hint=hint)


def _written(plan: Plan, *, is_left: bool) -> tuple[str, str, str]:
    files = sum(change.path.parts[0] != ".polster" for change in plan.changes)
    name = plan.root.name
    by = " (by the init that was killed)" if is_left else ""
    return ("create", f"{name}/".ljust(len(f"{name}/.venv")), f"{files} files{by}")


def _say_next(name: str, *, samples: bool, is_set_up: bool, has_run: bool) -> None:
    rows = [(f"cd {name}", "")]
    if not is_set_up:
        rows.append(("polster setup", "install what it needs"))
    if samples and not has_run:
        rows.append(("polster run", "run the sample pipeline"))
    if samples:
        rows.append(("polster run --ui", "and watch it in the browser"))
    rows.append(("polster add-asset", "add your own"))
    say_next(rows, heading="Done. Next:")
