"""`polster init`: ask for what is missing, plan, show or do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from polster_core import ask, environment, launch, repository, scaffold
from polster_core.apply import apply, recover
from polster_core.cli import choices, setup
from polster_core.cli.carry_out import run_steps, say, show
from polster_core.cli.plugins import warn_of_broken
from polster_core.errors import PolsterError, UsageProblem
from polster_core.names import check_project_name, project_name_problem
from polster_core.options import CICD, STORAGE, Flag, flags
from polster_core.plan import Plan, Step, draft
from polster_core.plugins import Plugins, installed
from polster_core.types import CicdGenerator

_STORAGE = "local"
_HEADINGS = {STORAGE: "--storage", CICD: "--cicd"}
_HOSTS = tuple(host.name for host in repository.HOSTS)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The command line as it was typed; `None` where nothing was said."""

    storage: str | None
    cicd: str | None
    platform: str | None
    git: bool | None
    remote: bool
    install_uv: bool | None
    setup: bool
    run: bool
    start_dagster: bool
    dry_run: bool
    verbose: bool
    options: Mapping[str, str | bool | None]


def command() -> click.Command:
    """Build the command from what is installed."""
    plugins = installed()
    storage = choices.PluginChoice(plugins, STORAGE)
    cicd = choices.PluginChoice(plugins, CICD, also=[scaffold.NONE])
    added = flags(plugins)

    @click.pass_obj
    def callback(session: object, /, name: str | None, **typed: Any) -> None:
        options = {flag.name: typed.pop(choices.parameter_name(flag)) for flag in added}
        wishes = Wishes(
            **typed,
            verbose=bool(getattr(session, "verbose", False)),
            options=options,
        )
        _Init(plugins, storage, cicd, wishes).do(name)

    return choices.GroupedCommand(
        "init",
        callback=callback,
        params=[
            click.Argument(["name"], required=False),
            click.Option(["--storage"], type=storage, help="Where data is kept.  [default: local]"),
            *_cicd_options(cicd),
            *_own_options(),
            *choices.options_for(added, _HEADINGS),
        ],
        help="Create a project in the folder NAME.",
    )


def _cicd_options(cicd: choices.PluginChoice) -> Iterator[click.Option]:
    """Yield the options for the pipeline; where no plugin offers one, they are not shown."""
    yield click.Option(
        ["--cicd"],
        type=cicd,
        hidden=cicd.names == [scaffold.NONE],
        help="Which pipeline to write.  [default: none]",
    )
    yield click.Option(
        ["--platform"], type=click.Choice(_HOSTS), hidden=True, help="The older word for --cicd."
    )


def _own_options() -> Iterator[click.Option]:
    def switch(name: str, text: str, *, default: bool | None = None) -> click.Option:
        return click.Option([f"--{name}/--no-{name}"], default=default, help=text)

    def flag(name: str, text: str, *more: str) -> click.Option:
        return click.Option([f"--{name}", *more], is_flag=True, help=text)

    yield switch("git", "Make a git repository with a first commit.  [default: yes]")
    yield flag("remote", "Create a private repository at GitHub, GitLab or Azure DevOps, and push.")
    yield switch("setup", "Create .venv and install what the project needs.", default=True)
    yield switch("install-uv", "Install uv first, if it is missing.  [default: no]")
    yield flag("run", "Run the pipeline at once.")
    yield flag("start-dagster", "Open the Dagster UI afterwards.")
    yield flag("dry-run", "Show what would be written, and stop.")


class _Init:
    """One run of the command; each method is one of its phases."""

    def __init__(
        self,
        plugins: Plugins,
        storage: choices.PluginChoice,
        cicd: choices.PluginChoice,
        wishes: Wishes,
    ) -> None:
        self._plugins = plugins
        self._storage = storage
        self._cicd = cicd
        self._wishes = wishes
        self._asks = ask.is_possible()

    def do(self, name: str | None) -> None:
        """Check, ask, plan, write, run."""
        wishes = self._wishes
        self._refuse_contradictions()
        if name is None:
            name = self._ask_name()
        check_project_name(name)
        root = Path.cwd() / name
        _check_target(root)
        request = self._request(name)
        generated = scaffold.files(self._plugins, request)
        warn_of_broken(self._plugins)
        plan = draft(root, generated, steps=self._steps(root, request))
        if wishes.dry_run:
            show(plan, prefix=f"{name}/")
            return
        apply(plan)
        say(("create", f"{name}/".ljust(len(f"{name}/.venv")), _count(plan)))
        good = run_steps(plan.steps)
        if not good:
            click.get_current_context().exit(1)
        _say_next(
            name, samples=request.answers.get("sample-assets") == "true", is_set_up=wishes.setup
        )
        if wishes.run or wishes.start_dagster:
            click.echo()
            click.get_current_context().exit(launch.run(root, self._run_arguments()))

    def _refuse_contradictions(self) -> None:
        wishes = self._wishes
        if not wishes.setup:
            for flag in ("run", "start_dagster", "install_uv"):
                if getattr(wishes, flag):
                    name = flag.replace("_", "-")
                    raise UsageProblem(f"--{name} needs the environment: leave out --no-setup")
        if wishes.remote and wishes.git is False:
            raise UsageProblem("--remote needs a repository: leave out --no-git")

    def _ask_name(self) -> str:
        if not self._asks:
            raise UsageProblem("give the project's name", hint="for example  polster init shop")
        return ask.text("What is the project called?", problem=project_name_problem)

    def _request(self, name: str) -> scaffold.Request:
        """Settle every choice: typed, asked for, or the default."""
        wishes = self._wishes
        storage = wishes.storage or self._ask_choice("Where is data kept?", self._storage, _STORAGE)
        cicd = (
            wishes.cicd
            or self._of_platform()
            or self._ask_choice("Generate a CI/CD pipeline?", self._cicd, scaffold.NONE)
        )
        counting = scaffold.relevant(self._plugins, storage, cicd)
        self._refuse_idle_options(counting)
        answers = {flag.name: self._answer(flag) for flag in counting}
        if missing := [
            f"--{f.name}" for f in counting if f.option.required and not answers[f.name]
        ]:
            raise UsageProblem(f"give {' and '.join(missing)}", hint="see  polster init --help")
        given = {name: answer for name, answer in answers.items() if answer is not None}
        return scaffold.Request(name=name, storage=storage, cicd=cicd, answers=given)

    def _ask_choice(self, question: str, kind: choices.PluginChoice, default: str) -> str:
        if not self._asks or len(kind.names) < 2:  # noqa: PLR2004 - nothing to choose from
            return default
        return ask.choice(question, kind.summaries, default=default)

    def _of_platform(self) -> str | None:
        """Translate --platform, which names the host, into the pipeline for that host."""
        if self._wishes.platform is None:
            return None
        for name, offer in self._plugins.offers(CICD).items():
            if isinstance(offer, CicdGenerator) and offer.host == self._wishes.platform:
                return name
        raise UsageProblem(
            f"no pipeline for {self._wishes.platform} is installed", hint="see  polster plugins"
        )

    def _refuse_idle_options(self, counting: list[Flag]) -> None:
        """Say so when an option was typed that belongs to something else than was chosen."""
        names = {flag.name for flag in counting}
        for flag in flags(self._plugins):
            if flag.name not in names and self._wishes.options[flag.name] is not None:
                raise UsageProblem(
                    f"--{flag.name} belongs to {_HEADINGS[flag.hook]} {flag.contribution}",
                    hint=f"add  {_HEADINGS[flag.hook]} {flag.contribution}",
                )

    def _answer(self, flag: Flag) -> str | None:
        option, typed = flag.option, self._wishes.options[flag.name]
        if isinstance(typed, bool):
            return "true" if typed else "false"
        if typed is not None or not self._asks or not (option.required or option.question):
            return option.default if typed is None else typed
        question = option.question or option.help
        if option.flag:
            return "true" if ask.yes(question, default=option.default == "true") else "false"
        if option.choices:
            return ask.choice(question, dict.fromkeys(option.choices, ""), default=option.default)
        if option.secret:
            return ask.secret(question) or None
        return ask.text(question, default=option.default or "") or None

    def _steps(self, root: Path, request: scaffold.Request) -> Iterator[Step]:
        """Yield what comes after the files, in order."""
        wishes, name = self._wishes, root.name
        if wishes.setup:
            if self._wants_uv():
                yield Step(
                    name="install",
                    summary="uv, with pip",
                    run=lambda: setup.add_uv(verbose=wishes.verbose),
                )
            yield Step(
                name="create",
                target=f"{name}/.venv",
                summary=f"with {'uv' if environment.find_uv() else 'venv and pip'}",
                run=lambda: setup.build(root, f"{name}/.venv", verbose=wishes.verbose),
            )
        if self._wants_git(root):
            yield Step(
                name="git",
                summary="initialize, first commit",
                run=lambda: repository.initialize(root),
            )
        if wishes.remote:
            host = self._host(request)
            yield Step(
                name="remote",
                summary=repository.plan_remote(host),
                run=lambda: repository.publish(root, name, host),
            )

    def _wants_uv(self) -> bool:
        if environment.find_uv():
            return False
        if self._wishes.install_uv is None and self._asks:
            return ask.yes("Install uv? It is faster than pip.", default=False)
        return bool(self._wishes.install_uv)

    def _wants_git(self, root: Path) -> bool:
        """Decide on git: not unasked in somebody else's repository, and not where it is missing."""
        wishes = self._wishes
        if wishes.git is not None or wishes.remote:
            return wishes.git is not False
        if not repository.has_git() or repository.is_inside_repository(root.parent):
            return False
        return not self._asks or ask.yes("Initialize git?")

    def _host(self, request: scaffold.Request) -> str:
        if request.cicd == scaffold.NONE:
            return ""
        offer = self._plugins.choose(CICD, request.cicd)
        return offer.host if isinstance(offer, CicdGenerator) else ""

    def _run_arguments(self) -> list[str]:
        if not self._wishes.start_dagster:
            return []
        return ["--ui"] if self._wishes.run else ["--no-materialize", "--ui"]


def _check_target(root: Path) -> None:
    """Raise PolsterError unless a project can be put there."""
    recover(root)
    if root.is_dir():
        if any(root.iterdir()):
            raise PolsterError(
                f"{root.name}/ exists and is not empty; nothing was changed",
                hint="choose another name",
            )
    elif os.path.lexists(root):
        raise PolsterError(f"{root.name} exists and is no folder; nothing was changed")


def _count(plan: Plan) -> str:
    files = sum(change.path.parts[0] != ".polster" for change in plan)
    return f"{files} files"


def _say_next(name: str, *, samples: bool, is_set_up: bool) -> None:
    rows = [(f"cd {name}", "")]
    if not is_set_up:
        rows.append(("polster setup", "install what it needs"))
    if samples:
        rows.append(("polster run", "run the sample pipeline"))
        rows.append(("polster run --ui", "and watch it in the browser"))
    rows.append(("polster add-asset", "add your own"))
    width = max(len(words) for words, _ in rows)
    click.echo("\nDone. Next:")
    for words, why in rows:
        click.echo(f"  {words:<{width}}   {why}".rstrip())
