"""Keep data in Azure Data Lake Storage Gen2."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from polster_core.hookspecs import hookimpl
from polster_core.types import (
    EnvVar,
    GuideSection,
    NewFile,
    Option,
    ProjectContext,
    RuntimePart,
    StorageBackend,
)

_REQUIREMENTS = ("adlfs>=2026.8", "azure-identity>=1.19,<2", "azure-storage-blob>=12.24,<13")
_AUTHENTICATION = {
    "identity": (),
    "key": ("ADLS_ACCOUNT_KEY",),
    "sas": ("ADLS_SAS_TOKEN",),
    "connection-string": ("ADLS_CONNECTION_STRING",),
    "service-principal": ("ADLS_TENANT_ID", "ADLS_CLIENT_ID", "ADLS_CLIENT_SECRET"),
}


@hookimpl
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer `adls`."""
    yield StorageBackend(
        name="adls",
        summary="Azure Data Lake Gen2",
        options=_options(),
        requirements=_REQUIREMENTS,
        env=_env(),
        runtime=(
            RuntimePart(package="polster_runtime.storage.backends.adls", storage="adls"),
            RuntimePart(package="polster_runtime.config.key_vault", secrets="azure-key-vault"),
        ),
        files=_files,
    )


def _options() -> tuple[Option, ...]:
    return (
        Option(
            name="account-name",
            help="The storage account.",
            question="Which storage account?",
            env="ADLS_ACCOUNT_NAME",
        ),
        Option(
            name="container",
            help="The container (file system) in it.",
            question="Which container?",
            env="ADLS_CONTAINER",
        ),
        Option(
            name="base-path",
            help="The folder in the container.  [default: NAME/data]",
            env="ADLS_BASE_PATH",
        ),
        Option(
            name="auth",
            help="Authentication method; the secret goes into .env.",
            default="identity",
            choices=tuple(_AUTHENTICATION),
            question="How does Azure let you in?",
        ),
    )


def _env() -> tuple[EnvVar, ...]:
    return (
        EnvVar(
            name="ADLS_ACCOUNT_NAME", help="The storage account: its name alone.", required=True
        ),
        EnvVar(name="ADLS_CONTAINER", help="The container (file system) in it.", required=True),
        EnvVar(name="ADLS_BASE_PATH", help="The folder in it; PROJECT/data unless given."),
        EnvVar(
            name="ADLS_ACCOUNT_KEY",
            help="Authentication method: one of these, or none for this machine's identity.",
            secret=True,
        ),
        EnvVar(name="ADLS_SAS_TOKEN", help="A shared access signature.", secret=True),
        EnvVar(
            name="ADLS_CONNECTION_STRING", help="All in one, as the portal shows it.", secret=True
        ),
        EnvVar(name="ADLS_TENANT_ID", help="A service principal: its tenant,"),
        EnvVar(name="ADLS_CLIENT_ID", help="its application id,"),
        EnvVar(name="ADLS_CLIENT_SECRET", help="and its secret.", secret=True),
        EnvVar(
            name="ADLS_ENDPOINT",
            help="The account's address, where it is not https://ACCOUNT.blob.core.windows.net.",
        ),
        EnvVar(
            name="ADLS_FALLBACK_TO_LOCAL",
            help="Whether runs go on here while Azure cannot be reached, and are uploaded later.",
            default="false",
        ),
        EnvVar(
            name="DUAL_WRITE_SAMPLE_SIZE",
            help="How many rows of each snapshot are kept in data/samples as well.",
            default="50",
        ),
        EnvVar(name="DISABLE_LOCAL_SAMPLE", help="Whether none are.", default="false"),
        EnvVar(
            name="AZURE_KEY_VAULT_URL",
            help="With SECRETS=azure-key-vault: the vault, https://NAME.vault.azure.net.",
        ),
    )


def _files(context: ProjectContext) -> Iterable[NewFile]:
    from polster_core.rendering import project_files

    return project_files("polster_storage_adls", "templates", context)


@hookimpl
def polster_guide_sections(context: ProjectContext) -> Iterable[GuideSection]:
    """Lead from the guide to stored data to the one about Azure."""
    if context.storage == "adls":
        yield GuideSection(
            guide=PurePosixPath("docs/storage.md"),
            title="In Azure",
            text="`STORAGE_BACKEND=adls` keeps all of this in a storage account: "
            "[azure.md](azure.md) says how to make one, and what to do when it refuses.",
        )
