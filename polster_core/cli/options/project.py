"""What `polster init` must know: typed, asked for in a terminal, or the default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from polster_core.cli import prompts
from polster_core.cli.options.answer import Typed, settle
from polster_core.cli.options.target import Target
from polster_core.cli.params import PlatformChoice, PluginChoice
from polster_core.delivery import Delivery
from polster_core.environment import git, venv
from polster_core.errors import PluginError, UsageProblem
from polster_core.model import platforms
from polster_core.model.names import project_name_problem
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import Flag, flags
from polster_core.scaffold import project
from polster_core.types import CicdGenerator, Contribution, StorageBackend

HEADINGS: Mapping[type[Contribution], str] = {StorageBackend: "--storage", CicdGenerator: "--cicd"}
"""The option that chooses among what is offered of a kind."""
_STORAGE = "local"


@dataclass(frozen=True, kw_only=True)
class InitArguments:
    """The command line as it was typed; `None` where nothing was said."""

    name: str | None
    package: str | None
    key_prefix: str | None
    storage: str | None
    executor: str | None
    cicd: tuple[str, ...]
    platform: str | None
    schedule: str | None
    data_branch: str | None
    runtime: Delivery
    git: bool | None
    remote: bool
    install_uv: bool | None
    setup: bool
    run: bool
    start_dagster: bool
    dry_run: bool
    verbose: bool
    options: Mapping[str, Typed]


class Answers:
    """Settles each question once; Ctrl-C at any of them passes through as it is."""

    def __init__(
        self,
        plugins: Plugins,
        storage: PluginChoice,
        pipelines: PlatformChoice,
        arguments: InitArguments,
    ) -> None:
        """Ask only where somebody can answer."""
        self._plugins = plugins
        self._storage = storage
        self._cicd = pipelines
        self._arguments = arguments
        self._asks = prompts.is_possible()

    def name(self) -> str:
        """Ask for the project's name; raises UsageProblem without a terminal."""
        if not self._asks:
            raise UsageProblem("missing argument PATH", hint="for example  polster init shop")
        return prompts.text("What is the project called?", problem=project_name_problem)

    def request(self, name: str) -> project.ProjectRequest:
        """Settle what is written; raises UsageProblem for options that are missing or idle."""
        arguments = self._arguments
        storage = arguments.storage or self._choice("Where is data kept?", self._storage, _STORAGE)
        pipelines = self._pipelines()
        counting = project.relevant(self._plugins, storage, pipelines)
        self._refuse_idle(counting)
        answers = {
            flag.name: settle(flag.option, flag.name, arguments.options[flag.name], asks=self._asks)
            for flag in counting
        }
        if missing := [
            f"`--{f.name}`" for f in counting if f.option.required and not answers[f.name]
        ]:
            raise UsageProblem(
                f"missing option {' and '.join(missing)}",
                hint="see  polster init --help",
            )
        given = {name: answer for name, answer in answers.items() if answer is not None}
        if arguments.schedule:
            given["schedule"] = arguments.schedule
        if arguments.data_branch:
            given["data-branch"] = arguments.data_branch
        return project.ProjectRequest(
            name=name,
            storage=storage,
            cicd=pipelines,
            delivery=arguments.runtime,
            answers=given,
            executor=arguments.executor or "",
        )

    def install_uv(self) -> bool:
        """Decide whether uv is to be installed."""
        if venv.find_uv():
            return False
        if self._arguments.install_uv is None and self._asks:
            return prompts.yes("Install uv? It is faster than pip.", default=False)
        return bool(self._arguments.install_uv)

    def git(self, at: Target) -> bool:
        """Decide on git: a repository is made where there is none, and the folder was empty."""
        arguments = self._arguments
        if (at.root / ".git").exists():
            return at.is_left and arguments.git is not False  # the killed init had begun it
        if arguments.git is not None or arguments.remote:
            return arguments.git is not False
        if at.in_place or not git.has_git() or git.repository_of(at.root):
            return False
        return not self._asks or prompts.yes("Initialize git?")

    def host(self, request: project.ProjectRequest) -> str:
        """Return where the first pipeline runs; "" if there is none, or if it runs anywhere."""
        for name in platforms.split(request.cicd):
            return self._plugins.choose(CicdGenerator, name).host
        return ""

    def _choice(self, question: str, kind: PluginChoice, default: str) -> str:
        if not self._asks or len(kind.names) < 2:  # noqa: PLR2004 - nothing to choose from
            return default
        return prompts.choice(question, kind.summaries, default=default)

    def _pipelines(self) -> str:
        """Settle on the platforms, as one text."""
        typed = [*self._arguments.cicd, *self._of_platform()]
        if typed:
            chosen = platforms.join(typed)
        else:
            chosen = self._choice("Generate a CI/CD pipeline?", self._cicd, platforms.NONE)
        for option in ("schedule", "data_branch"):
            if getattr(self._arguments, option) and chosen == platforms.NONE:
                name = option.replace("_", "-")
                raise UsageProblem(f"--{name} belongs to a pipeline", hint="add  --cicd PLATFORM")
        return chosen

    def _of_platform(self) -> list[str]:
        """Read --platform, which may name a host of which Polster has no pipeline now."""
        typed = self._arguments.platform
        if typed is None:
            return []
        try:
            return [self._cicd.convert(typed, None, None)]
        except (PluginError, UsageProblem):
            if typed not in {host.name for host in git.HOSTS}:
                raise
        raise UsageProblem(f"no pipeline for {typed} is installed", hint="see  polster plugins")

    def _refuse_idle(self, counting: Iterable[Flag]) -> None:
        """Say so when an option was typed that belongs to something else than was chosen."""
        names = {flag.name for flag in counting}
        for flag in flags(self._plugins):
            if (
                flag.kind
                and flag.name not in names
                and self._arguments.options[flag.name] is not None
            ):
                owner = f"{HEADINGS[flag.kind]} {flag.contribution}"
                raise UsageProblem(f"--{flag.name} belongs to {owner}", hint=f"add  {owner}")
