"""Processes that wait: Dagster's daemon, its webserver, its code servers."""

import sys
from collections.abc import Mapping
from importlib import import_module

from polster_runtime.dagster import private

SECONDS: Mapping[str, float] = {private.GRPC_WAIT: 1.0, private.HEARTBEAT: 5}
"""How long they wait at a time. Stock: a tenth of a second for nothing in particular, and a second
between two signs of life, where a code server ends after twenty without one."""


def wait_longer(*, importing: bool = True) -> None:
    """Let this process look less often; where `importing` is false, only if it looks already."""
    for path, seconds in SECONDS.items():
        module, _, name = path.rpartition(".")
        if (importing or module in sys.modules) and isinstance(private.find(path), int | float):
            setattr(import_module(module), name, seconds)
