from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_storage_backends():
    yield StorageBackend(name="requirement", summary="…", requirements=("s3fs >= ",), runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="requirement"),))
