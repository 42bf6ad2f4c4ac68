"""Keep data in S3: Amazon's, and that of others who speak it."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import EnvVar, NewFile, Option, ProjectContext, RuntimePart, StorageBackend

polster_api = ">=2,<3"

_OPTIONS = (
    Option(name="bucket", help="The bucket.", question="Which bucket?", env="S3_BUCKET"),
    Option(
        name="base-path", help="The folder in the bucket.  [default: NAME/data]", env="S3_BASE_PATH"
    ),
    Option(name="region", help="The region of the bucket.", env="S3_REGION"),
    Option(name="endpoint", help="The address of an S3 that is not Amazon's.", env="S3_ENDPOINT"),
    Option(
        name="auth",
        help="Authentication method; the secret goes into .env.",
        default="identity",
        choices=("identity", "profile", "key"),
        question="How does S3 let you in?",
    ),
)
_ENV = (
    EnvVar(name="S3_BUCKET", help="The bucket: its name alone.", required=True),
    EnvVar(name="S3_BASE_PATH", help="The folder in it; PROJECT/data unless given."),
    EnvVar(name="S3_REGION", help="Its region; that of this machine unless given."),
    EnvVar(name="S3_ENDPOINT", help="The address of an S3 that is not Amazon's."),
    EnvVar(
        name="S3_ACCESS_KEY_ID",
        help="Authentication method: a key, a profile, or none for this machine's identity.",
    ),
    EnvVar(name="S3_SECRET_ACCESS_KEY", help="The secret of the key,", secret=True),
    EnvVar(name="S3_SESSION_TOKEN", help="and its token, where it is a passing one.", secret=True),
    EnvVar(name="S3_PROFILE", help="A profile in ~/.aws, instead of a key."),
    EnvVar(
        name="S3_FALLBACK_TO_LOCAL",
        help="Whether runs go on here while S3 cannot be reached, and are uploaded later.",
        default="false",
    ),
    EnvVar(
        name="DUAL_WRITE_SAMPLE_SIZE",
        help="How many rows of each snapshot are kept in data/samples as well.",
        default="50",
    ),
    EnvVar(name="DISABLE_LOCAL_SAMPLE", help="Whether none are.", default="false"),
)


@hookimpl
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer `s3`."""
    yield StorageBackend(
        name="s3",
        summary="Amazon S3, and others like it",
        options=_OPTIONS,
        requirements=("s3fs>=2026.8",),
        env=_ENV,
        runtime=(
            RuntimePart(
                package="polster_s3",
                requirement="polster-plugin-s3[runtime]>=0.2,<0.3",
                storage="s3",
            ),
        ),
        files=_files,
    )


def _files(context: ProjectContext) -> Iterable[NewFile]:
    from polster_core.rendering import project_files

    return project_files("polster_plugin_s3", "templates", context)
