"""The hooks that a plugin may implement."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from polster_core.types import (
    AssetTemplate,
    CicdGenerator,
    NewFile,
    Option,
    ProjectContext,
    StorageBackend,
    ValidationRule,
)

hookspec = pluggy.HookspecMarker("polster")
hookimpl = pluggy.HookimplMarker("polster")


@hookspec
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer places to keep data, chosen with `polster init --storage NAME`.

    Example:
        @hookimpl
        def polster_storage_backends():
            yield StorageBackend(name="s3", summary="Amazon S3", requirements=("s3fs",))

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
