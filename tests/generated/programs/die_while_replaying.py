"""Carry out a command of polster_runtime, and die before a file is published: N stay alive."""

import os
import sys
from pathlib import Path
from unittest import mock

from polster_runtime.cli.main import main
from polster_runtime.storage.store import Store

alive, publish = iter(range(int(sys.argv[1]))), Store.publish


def dying(self: Store, staged: Path, path: str) -> str:
    """Publish while some may, then end at once."""
    if next(alive, None) is None:
        os._exit(9)
    return publish(self, staged, path)


with mock.patch.object(Store, "publish", dying):
    sys.exit(main(sys.argv[2:]))
