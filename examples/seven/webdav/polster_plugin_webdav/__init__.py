"""A storage backend: a folder of a WebDAV server."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import EnvVar, Option, RuntimePart, StorageBackend


@hookimpl
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer `polster init --storage webdav`."""
    yield StorageBackend(
        name="webdav",
        summary="a WebDAV server",
        options=(Option(name="url", help="Its address.", required=True, env="DAV_URL"),),
        requirements=("webdav4[fsspec]>=0.10",),
        env=(
            EnvVar(name="DAV_URL", help="The address of the server.", required=True),
            EnvVar(name="DAV_PASSWORD", help="The password there.", secret=True),
        ),
        runtime=(
            RuntimePart(
                package="polster_webdav",
                requirement="polster-plugin-webdav[runtime]>=0.1",
                storage="webdav",
            ),
        ),
    )
