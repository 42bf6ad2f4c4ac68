polster_api = 1

from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_storage_backends():
    yield StorageBackend(name="no-range", summary="…", runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="no-range"),))
