from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_storage_backends(project, terminal):
    yield StorageBackend(name="signature", summary="…", runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="signature"),))
