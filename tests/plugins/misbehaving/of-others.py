from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_storage_backends():
    yield StorageBackend(name="of-others", summary="…", runtime=(RuntimePart(package="click", requirement="click", storage="of-others"),))
