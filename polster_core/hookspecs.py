"""The hooks that a plugin may implement.

A hook may get further arguments in later versions: an implementation takes those that it wants. A
plugin's module may say which versions of the hooks it knows, `polster_api = ">=2,<3"` (PEP 440);
other versions of Polster then say so instead of calling it. A hook that this version does not have
is refused, unless it is marked `@hookimpl(optionalhook=True)`: then only versions call it that do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pluggy

from polster_core.types import (
    AssetColumn,
    AssetTemplate,
    CicdGenerator,
    Command,
    Deployment,
    DoctorCheck,
    Executor,
    GitignoreLine,
    GuideSection,
    NewFile,
    Option,
    ProjectContext,
    StorageBackend,
    ValidationRule,
)

API = "2.0"
"""The version of the hooks and of what they return; the first number changes if something goes."""
COMPATIBLE = ("1.0",)
"""Earlier versions whose plugins still work: all that these versions had is there."""


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """What will go away: with which version of the hooks, and what takes its place."""

    until: str
    instead: str


DEPRECATED: Mapping[str, Deprecation] = {}
"""Hooks, `polster_x`, and arguments, `polster_x(argument)`, that still work, with a warning."""

hookspec = pluggy.HookspecMarker("polster")
hookimpl = pluggy.HookimplMarker("polster")


@hookspec
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer places to keep data, chosen with `polster init --storage NAME`.

    Example:
        PART = RuntimePart(
            package="polster_s3",  # has connect(), which returns a Store
            requirement="polster-plugin-s3[runtime]>=0.1",
            storage="s3",
        )

        @hookimpl
        def polster_storage_backends():
            yield StorageBackend(
                name="s3", summary="Amazon S3", requirements=("s3fs",), runtime=(PART,)
            )

    """
    return ()


@hookspec
def polster_executors() -> Iterable[Executor]:
    """Offer what runs steps on other machines, added with `polster executor add NAME`.

    Example:
        @hookimpl
        def polster_executors():
            part = RuntimePart(package="polster_ray", executor="ray", requirement="polster-ray")
            yield Executor(name="ray", summary="A Ray cluster", runtime=(part,))

    """
    return ()


@hookspec
def polster_cicd_generators() -> Iterable[CicdGenerator]:
    """Offer CI/CD pipelines, chosen with `polster init --cicd NAME`.

    Example:
        @hookimpl
        def polster_cicd_generators():
            yield CicdGenerator(name="jenkins", summary="Jenkins", files=pipeline)

    """
    return ()


@hookspec
def polster_deployments() -> Iterable[Deployment]:
    """Offer ways to run a project in production, chosen with `polster add-deploy NAME`.

    Example:
        @hookimpl
        def polster_deployments():
            yield Deployment(name="nomad", summary="Nomad", files=job)

    """
    return ()


@hookspec
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer kinds of assets, chosen with `polster add-asset --template NAME`.

    Example:
        @hookimpl
        def polster_asset_templates():
            yield AssetTemplate(name="kafka", summary="A topic", layers=("bronze",), files=topic)

    """
    return ()


@hookspec
def polster_init_options() -> Iterable[Option]:
    """Add options to `polster init`; their values are in `ProjectContext.answers`.

    Example:
        @hookimpl
        def polster_init_options():
            yield Option(name="team", help="Who owns the project.", default="data")

    """
    return ()


@hookspec
def polster_project_files(context: ProjectContext) -> Iterable[NewFile]:
    r"""Add files to every new project.

    Example:
        @hookimpl
        def polster_project_files(context):
            yield NewFile(path=PurePosixPath("OWNERS"), text=context.answers["team"] + "\n")

    """
    return ()


@hookspec
def polster_validation_rules() -> Iterable[ValidationRule]:
    """Add rules to `polster validate`.

    Example:
        def described(pipeline):
            for asset in pipeline.assets:
                if asset.definitions and not asset.description:
                    yield Problem.at(asset.definitions[0].place, f"{asset} is not described")

        @hookimpl
        def polster_validation_rules():
            yield ValidationRule(name="described", summary="Say what it is.", check=described)

    """
    return ()


@hookspec
def polster_commands() -> Iterable[Command]:
    """Add commands to `polster`, of a plugin whose entry point's name begins with `command-`.

    Example:
        @hookimpl
        def polster_commands():
            yield Command(name="teleport", summary="Go.", target="polster_teleport.cli:teleport")

    """
    return ()


@hookspec
def polster_doctor_checks() -> Iterable[DoctorCheck]:
    """Let `polster doctor` look at more.

    Example:
        def vpn(root):
            is_up = Path("/sys/class/net/tun0").exists()
            yield CheckResult(
                status="ok" if is_up else "warning",
                message="connected" if is_up else "not connected",
                hint="" if is_up else "vpn up",
            )

        @hookimpl
        def polster_doctor_checks():
            yield DoctorCheck(name="vpn", summary="The VPN is up.", check=vpn)

    """
    return ()


@hookspec
def polster_asset_columns() -> Iterable[AssetColumn]:
    """Offer columns for `polster list-assets --column NAME`.

    Example:
        def owner(pipeline, asset):
            return asset.description.partition("Owner: ")[2]

        @hookimpl
        def polster_asset_columns():
            yield AssetColumn(name="owner", summary="Who owns it.", value=owner)

    """
    return ()


@hookspec
def polster_gitignore_lines(context: ProjectContext) -> Iterable[GitignoreLine]:
    """Add lines to the `.gitignore` of new projects, and where something is added to one.

    Example:
        @hookimpl
        def polster_gitignore_lines(context):
            yield GitignoreLine(pattern="*.qvd")

    """
    return ()


@hookspec
def polster_guide_sections(context: ProjectContext) -> Iterable[GuideSection]:
    """Add sections to the guides of new projects, and where something is added to one.

    Example:
        @hookimpl
        def polster_guide_sections(context):
            guide = PurePosixPath("docs/running.md")
            yield GuideSection(guide=guide, title="On our cluster", text="Ask the data team.")

    """
    return ()
