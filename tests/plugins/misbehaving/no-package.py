from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_storage_backends():
    yield StorageBackend(name="no-package", summary="…", runtime=(RuntimePart(package="polster_no_package", requirement="polster-plugin-no-package", storage="no-package"),))
