from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)

@hookimpl
def polster_init_options():
    return 5 or Option(name="x", help="…")
