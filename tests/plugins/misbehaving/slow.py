import time
time.sleep(1.1)

from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_storage_backends():
    yield StorageBackend(name="slow", summary="…", runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="slow"),))
