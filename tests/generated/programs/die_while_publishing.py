"""Run bronze_a, and die as `kill -9` does at one moment of publishing."""

import json
import os
import runpy
import sys
from contextlib import AbstractContextManager
from typing import Any, NoReturn
from unittest import mock

from polster_runtime.storage.store import Store

dumps = json.dumps


def die(*_: Any, **__: Any) -> NoReturn:
    """End at once, with nothing tidied up."""
    os._exit(9)


def die_on_position(found: Any, **how: Any) -> str:
    """End when what is known after the last row is being written into the file."""
    return die() if "position" in found else dumps(found, **how)


MOMENTS: dict[str, AbstractContextManager[object]] = {
    "while writing": mock.patch.object(json, "dumps", die_on_position),
    "before publishing": mock.patch.object(Store, "publish", die),
    "while publishing": mock.patch.object(os, "link", die),
}
with MOMENTS[sys.argv.pop()]:
    runpy.run_path("src/core/bronze_a.py", run_name="__main__")
