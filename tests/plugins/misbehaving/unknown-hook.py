from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_storage_backend():
    yield StorageBackend(name="x", summary="…", runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="x"),))
