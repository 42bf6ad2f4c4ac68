"""What hooks return: small frozen values, cheap to build and to compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from polster_core.model.contributed import CheckResult as CheckResult
from polster_core.model.contributed import DoctorCheck as DoctorCheck
from polster_core.model.contributed import EnvVar as EnvVar
from polster_core.model.contributed import GitignoreLine as GitignoreLine
from polster_core.model.contributed import GuideSection as GuideSection
from polster_core.model.contributed import NewFile as NewFile
from polster_core.model.contributed import Option as Option
from polster_core.model.contributed import check_name as _check_name
from polster_core.model.diagnostics import Fix as Fix
from polster_core.model.diagnostics import Problem as Problem
from polster_core.model.diagnostics import Severity as Severity
from polster_core.model.diagnostics import ValidationRule as ValidationRule
from polster_core.model.facts import Place as Place
from polster_core.model.layers import AssetId as AssetId
from polster_core.model.layers import Layer as Layer
from polster_core.model.pipeline import Asset as Asset
from polster_core.model.pipeline import AssetColumn as AssetColumn
from polster_core.model.pipeline import Pipeline as Pipeline
from polster_core.model.runtime_part import RuntimePart as RuntimePart

_TARGET = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")


@dataclass(frozen=True, kw_only=True)
class ProjectContext:
    """What a contribution may know about the project that is being written.

    `name` is the project's name as typed, `storage` and `cicd` the names of what was chosen ("none"
    where there is no CI/CD; several are separated by commas). `answers` maps each option
    (`adls-account-name`, `sample-assets`) to its value; options without one are not in it. `env`
    and `requirements` are those of all that was chosen, each once; an answer that is no secret is
    the default of its variable. `values` maps the variables to what `.env` shall hold, secrets
    included. `runtime` are the parts of all that was chosen; `delivery` is "vendored" where the
    project holds its runtime as code, and "package" where it depends on it. `folder` is where in
    its git repository the project is, with slashes; "" at the top.
    """

    name: str
    storage: str
    cicd: str = "none"
    answers: Mapping[str, str] = field(default_factory=dict)
    env: tuple[EnvVar, ...] = ()
    requirements: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    runtime: tuple[RuntimePart, ...] = ()
    delivery: str = "vendored"
    folder: str = ""

    def __post_init__(self) -> None:
        """Keep what one plugin does to the mappings from the others."""
        _make_read_only(self, "answers", "values")


def _make_read_only(value: object, *names: str) -> None:
    for name in names:
        object.__setattr__(value, name, MappingProxyType(dict(getattr(value, name))))


def no_files(_: ProjectContext) -> Iterable[NewFile]:
    """Contribute no files."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """Something that a plugin offers by name.

    `summary` stands beside the name in `--help`, prompts and `polster plugins`. `requirements` are
    PEP 508 strings for the generated pyproject.toml, `env` goes into its .env.example and its
    guides, `runtime` are packages that its code imports, and `files` is called when the
    contribution is chosen.
    """

    kind: ClassVar[str] = "contribution"

    name: str
    summary: str
    options: tuple[Option, ...] = ()
    requirements: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    runtime: tuple[RuntimePart, ...] = ()
    files: Callable[[ProjectContext], Iterable[NewFile]] = no_files

    def __post_init__(self) -> None:
        """Refuse a name that would not make a good flag or file name."""
        _check_name(self.name)


@dataclass(frozen=True, kw_only=True)
class StorageBackend(Contribution):
    """Where a generated project keeps its data.

    One of its `runtime` parts says `storage=NAME`: a package with
    `connect() -> polster_runtime.storage.store.Store`.
    """

    kind: ClassVar[str] = "storage"


@dataclass(frozen=True, kw_only=True)
class Executor(Contribution):
    """What runs the steps of a project's runs on other machines: EXECUTOR=NAME.

    One of its `runtime` parts says `executor=NAME`: a package with
    `executor() -> dagster.ExecutorDefinition`. It may have `serve(at_once)`, which is a worker
    until it is told to stop, and `diagnose()`, which yields what `polster doctor` tries: names, and
    functions that return a text or raise. Its settings are `env`; it has no options.
    """

    kind: ClassVar[str] = "executor"

    def __post_init__(self) -> None:
        """Refuse options: nobody would be asked for them."""
        super().__post_init__()
        if self.options:
            raise ValueError(f"{self.name}: an executor has variables, and no options")


@dataclass(frozen=True, kw_only=True)
class Deployment(Contribution):
    """How a project runs in production: what `polster add-deploy NAME` writes.

    Its options are `--NAME-OPTION` of that command. A file that the project has already, with
    other contents, is never replaced: the command refuses. `context.answers["deploy"]` names the
    deployments that the project has, this one included.
    """

    kind: ClassVar[str] = "deployment"


@dataclass(frozen=True, kw_only=True)
class CicdGenerator(Contribution):
    """A CI/CD platform whose pipeline can be written; `host` is where its repositories live."""

    kind: ClassVar[str] = "cicd"

    host: str = ""

    def __post_init__(self) -> None:
        """Refuse a host that Polster cannot create repositories at."""
        super().__post_init__()
        if self.host not in {"", "github", "gitlab", "azure-devops"}:
            raise ValueError(f"{self.name}: the host {self.host!r} is none that Polster knows")


@dataclass(frozen=True, kw_only=True)
class AssetContext:
    """What an asset template may know about the asset that is being written.

    `parameters` are the names of the core function's parameters: one for each of `dependencies`,
    in their order. `description` is one line. `docstring` is the description as Python writes it
    below a `def`, quotes included. `answers` maps the template's options to their values; options
    without one are not in it. `partition` is the key of one of the asset's partitions, as examples
    have it, `partitions_def` what its Dagster file says of them, and `partitions_import` the line
    that this needs; all are empty for an asset without. `root` is the project's folder.
    """

    project: str
    asset: AssetId
    description: str
    docstring: str
    dependencies: tuple[AssetId, ...] = ()
    parameters: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    partition: str = ""
    partitions_def: str = ""
    partitions_import: str = ""
    root: Path = Path()

    def __post_init__(self) -> None:
        """Keep what a template does to the mapping from others."""
        _make_read_only(self, "answers")


def no_asset_files(_: AssetContext) -> Iterable[NewFile]:
    """Contribute no files: those that every asset has are enough."""
    return ()


def _no_check(_: AssetContext) -> None:
    """Find nothing wrong with the answers."""


def _no_look(_: Path, __: AssetContext) -> Iterable[str]:
    """Say nothing about the data that the asset will read."""
    return ()


def no_env(_: AssetContext) -> Iterable[EnvVar]:
    """Need no variables but those that every asset of the template needs."""
    return ()


def no_requirements(_: AssetContext) -> Iterable[str]:
    """Need no packages but those that every asset of the template needs."""
    return ()


@dataclass(frozen=True, kw_only=True)
class AssetTemplate(Contribution):
    """A kind of asset that `polster add-asset --template NAME` writes, in one of `layers`.

    Its options are plain flags, `--path`, which several templates may share. An asset has a core
    file, a Dagster file and a test; `files` yields those of them that differ from the usual
    ones, and whatever else the asset needs. What else it yields and the project has already stays
    as it is. `check` is called before that, and raises PolsterError for answers that are wrong.
    `look` is called with the project's folder once the asset is written: its lines tell what is in
    the data that the asset will read. `requirements` and `env` are added to the project where it
    lacks them, and with them those that depend on the answers: `requirements_of` and `env_of`.
    """

    kind: ClassVar[str] = "template"

    layers: tuple[str, ...]
    # Called with an asset, not with a project; nobody calls it without knowing which it is.
    files: Callable[[AssetContext], Iterable[NewFile]] = no_asset_files  # type: ignore[assignment]
    check: Callable[[AssetContext], None] = _no_check
    look: Callable[[Path, AssetContext], Iterable[str]] = _no_look
    requirements_of: Callable[[AssetContext], Iterable[str]] = no_requirements
    env_of: Callable[[AssetContext], Iterable[EnvVar]] = no_env

    def __post_init__(self) -> None:
        """Refuse layers that there are not."""
        super().__post_init__()
        if not self.layers or not set(self.layers) <= set(Layer):
            raise ValueError(f"{self.name}: the layers {self.layers!r} are none of Polster's")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command `polster NAME` that a plugin adds.

    `target` is where the click command is, `package.module:attribute`; it is imported when the
    command runs. `summary` stands beside the name in `polster --help`. The plugin's entry point has
    a name that begins with `command-`: `polster --help` imports those, and no other plugin.
    """

    kind: ClassVar[str] = "command"

    name: str
    summary: str
    target: str

    def __post_init__(self) -> None:
        """Refuse a name that nobody would type, and a target that cannot be one."""
        _check_name(self.name)
        if not _TARGET.fullmatch(self.target):
            raise ValueError(f"{self.name}: the target {self.target!r} is no module:attribute")
