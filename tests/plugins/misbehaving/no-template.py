from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_project_files(context):
    from polster_core.rendering import project_files
    return project_files('polster_core', 'templates/nowhere', context)
