"""`polster init`: ask for what is missing, plan, show or do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import click

from polster_core import delivery
from polster_core.adoption import adopt, members
from polster_core.cli import params
from polster_core.cli.commands import setup
from polster_core.cli.console import note
from polster_core.cli.context import warn_of_broken
from polster_core.cli.execute import run_steps, say, say_next, show_summary, warn
from polster_core.cli.options.project import HEADINGS, Answers, InitArguments
from polster_core.cli.options.target import Target, target
from polster_core.environment import git, project_python, venv
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model import layout, platforms
from polster_core.model.names import check_key_prefix, check_package_name
from polster_core.plan.apply import applied, tidy_beside
from polster_core.plan.definition import Kind, Plan, Step, draft, is_private
from polster_core.plan.render import updates
from polster_core.plugins.installed import installed
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import flags
from polster_core.project.locate import Project
from polster_core.project.repository import folder_of
from polster_core.scaffold import pages, project
from polster_core.scaffold.cicd import write_above
from polster_core.scaffold.pinned import unpinned
from polster_core.types import Executor, NewFile, StorageBackend


def command() -> click.Command:
    """Build the command from what is installed."""
    plugins = installed()
    storage = params.PluginChoice(plugins, StorageBackend)
    cicd = params.PlatformChoice(plugins, also=[platforms.NONE])
    added = flags(plugins)

    @click.pass_obj
    def callback(session: object, /, path: str | None, **typed: Any) -> None:
        options = {flag.name: typed.pop(params.parameter_name(flag)) for flag in added}
        arguments = InitArguments(
            **typed,
            verbose=bool(getattr(session, "verbose", False)),
            options=options,
        )
        _do(path, arguments, Answers(plugins, storage, cicd, arguments), plugins)

    return params.GroupedCommand(
        "init",
        callback=callback,
        params=[
            click.Argument(["path"], required=False),
            click.Option(
                ["--name"], help="What the project is called.  [default: the folder's name]"
            ),
            click.Option(["--package"], metavar="NAME", help="Put the code into src/NAME."),
            click.Option(
                ["--key-prefix"],
                metavar="NAME",
                help="What its keys begin with in Dagster, beside other projects.",
            ),
            click.Option(["--storage"], type=storage, help="Where data is kept.  [default: local]"),
            click.Option(
                ["--executor"],
                type=params.PluginChoice(plugins, Executor),
                help="What can run steps on other machines.  [default: none]",
            ),
            *_cicd_options(cicd),
            *_own_options(),
            *params.options_for(added, HEADINGS),
        ],
        help="Create a project in the folder PATH, new or not.",
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
    yield params.data_branch_option(hidden=there_are_none)


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


def _do(typed: str | None, arguments: InitArguments, answers: Answers, plugins: Plugins) -> None:
    """Check, ask, plan, write, run."""
    _refuse_contradictions(arguments)
    at = target(answers.name() if typed is None else typed, arguments.name)
    has_own_repository = bool(arguments.git)
    folder = "" if has_own_repository else folder_of(at.root)
    request = replace(answers.request(at.name), folder=folder)
    wanted, kept = _files(at, arguments, plugins, request)
    warn_of_broken(plugins)
    plan = draft(at.root, wanted, steps=_steps(at, arguments, answers, request), command="init")
    if at.is_left and any(True for _ in plan):
        raise PolsterError(
            f"{at.prefix or 'this folder'} exists and is not empty; nothing was changed",
            hint="polster setup  in it: an init that was killed had written it",
        )
    if arguments.dry_run:
        show_summary(plan, prefix=at.prefix, verbose=arguments.verbose)
        return
    context = click.get_current_context()
    with applied(plan):
        say(*_written(plan, at, kept))
        for path, line in git.ignored_by(at.root, _committed(plan)):
            warn([f"git ignores {path}, by {line}: what is ignored is lost to a clone"])
        done = run_steps(plan.steps)
    if not (run_steps([*_pipelines(at.root, request, plugins)]) and done):
        context.exit(1)
    if at.is_left:
        tidy_beside(at.root)
    names = platforms.split(request.cicd)
    if names and (lacks := unpinned(Project(at.root), names)):
        note(lacks)
    samples = request.answers.get("sample-assets") == "true"
    has_run = arguments.run and not arguments.start_dagster
    if has_run:
        click.echo()
        if code := project_python.run(at.root, [], returns=True):
            context.exit(code)
    _say_next(at, arguments, samples=samples, has_run=has_run)
    if arguments.start_dagster:
        click.echo()
        context.exit(project_python.run(at.root, _ui_arguments(arguments)))


def _files(
    at: Target, arguments: InitArguments, plugins: Plugins, request: project.ProjectRequest
) -> tuple[list[NewFile], list[PurePosixPath]]:
    """Return what is to be written, and the pages of the folder that ours make room for."""
    told = dict(request.answers)
    if arguments.key_prefix is not None:
        told["key-prefix"] = check_key_prefix(arguments.key_prefix)
    if arguments.package:
        told["package"] = layout.use(check_package_name(arguments.package)).package
    generated = project.files(plugins, replace(request, answers=told))
    if not at.in_place:
        return generated, []
    kept = adopt.pages_there(at.root, generated)
    if kept:
        told[pages.KEPT] = ",".join(map(str, kept))
        generated = project.files(plugins, replace(request, answers=told))
    return adopt.adopt(at.root, generated), kept


def _refuse_contradictions(arguments: InitArguments) -> None:
    if not arguments.setup:
        for flag in ("run", "start_dagster", "install_uv"):
            if getattr(arguments, flag):
                name = flag.replace("_", "-")
                raise UsageProblem(f"--{name} needs the environment: leave out --no-setup")
    if arguments.remote and arguments.git is False:
        raise UsageProblem("--remote needs a repository: leave out --no-git")


def _steps(
    at: Target, arguments: InitArguments, answers: Answers, request: project.ProjectRequest
) -> Iterator[Step]:
    """Yield what comes after the files, in order."""
    if workspace := members.lacking(at.root):
        yield Step(
            name="update",
            target=os.path.relpath(workspace.root / "pyproject.toml"),
            summary=f"{workspace.member} becomes a member of the uv workspace",
            run=workspace.write,
        )
    if arguments.setup:
        if answers.install_uv():
            yield Step(
                name="install",
                summary="uv, with pip",
                run=lambda: setup.add_uv(verbose=arguments.verbose),
            )
        made = venv.made_by_uv(workspace.root if workspace else at.root.resolve())
        is_own = made.parent == at.root.resolve()
        shown = f"{at.prefix}{made.name}" if is_own else os.path.relpath(made)
        yield Step(
            name="create",
            target=shown,
            summary=f"with {'uv' if venv.find_uv() else 'venv and pip'}",
            run=lambda: setup.build(at.root, shown, verbose=arguments.verbose),
        )
    if answers.git(at):
        yield Step(
            name="git",
            summary="initialize, first commit",
            run=lambda: git.initialize(at.root),
        )
    elif arguments.git is not False and (around := git.repository_of(at.root)):
        told = "no repository of its own: the folder is in that of " + os.path.relpath(around)
        if around != at.root.resolve():
            yield Step(name="git", summary=told, run=lambda: told)
    if arguments.remote:
        host = answers.host(request)
        yield Step(
            name="remote",
            summary=git.plan_remote(host),
            run=lambda: git.publish(at.root, at.name, host),
        )


def _pipelines(root: Path, request: project.ProjectRequest, plugins: Plugins) -> Iterator[Step]:
    """Yield the step that writes pipelines where platforms look: at the top of the repository."""
    if request.folder and (names := platforms.split(request.cicd)):
        yield Step(
            name="write",
            target="pipelines",
            summary="at the top of the repository",
            run=lambda: write_above(Project(root), plugins, names),
        )


def _ui_arguments(arguments: InitArguments) -> list[str]:
    return ["--ui"] if arguments.run else ["--no-materialize", "--ui"]


def _written(
    plan: Plan, at: Target, kept: Sequence[PurePosixPath]
) -> Iterator[tuple[str, str, str]]:
    shown = [change for change in plan.changes if change.path.parts[0] != ".polster"]
    files = sum(change.kind is Kind.CREATE or not at.in_place for change in shown)
    by = " (by the init that was killed)" if at.is_left else ""
    folder = at.prefix or "./"
    yield ("create", folder.ljust(len(f"{at.prefix}.venv")), f"{files} files{by}")
    if at.in_place:
        yield from updates(plan, prefix=at.prefix)
        for path in kept:
            other = pages.OTHER_NAMES.get(path)
            told = f"; Polster's text is in {other}" if other else ""
            yield ("keep", f"{at.prefix}{path}", f"yours{told}")


def _committed(plan: Plan) -> list[PurePosixPath]:
    """Return the new files that a repository should have."""
    return [
        change.path
        for change in plan
        if change.kind is Kind.CREATE
        and not is_private(change.path)
        and change.path.parts[0] != "data"
    ]


def _say_next(at: Target, arguments: InitArguments, *, samples: bool, has_run: bool) -> None:
    rows = [(f"cd {at.prefix.rstrip('/')}", "")] if at.prefix else []
    if not arguments.setup:
        rows.append(("polster setup", "install what it needs"))
    if samples and not has_run:
        rows.append(("polster run", "run the sample pipeline"))
    if samples:
        rows.append(("polster run --ui", "and watch it in the browser"))
    rows.append(("polster add-asset", "add your own"))
    if name := arguments.executor:
        rows.append(("edit .env", f"EXECUTOR={name}, its settings, and DAGSTER_POSTGRES_URL"))
    say_next(rows, heading="Done. Next:")
