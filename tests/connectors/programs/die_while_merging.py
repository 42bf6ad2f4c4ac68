"""Run bronze_n, and die before or after its merged file is published: MOMENT LAST."""

import os
import sys
from importlib import import_module
from pathlib import Path

from polster_runtime.execution.materialize import materialize
from polster_runtime.storage import compaction
from polster_runtime.storage.store import Store

bronze_n = import_module("core.bronze_n")
compaction.TOGETHER = 4
moment, publish = sys.argv[1], Store.publish


def dies(self: Store, staged: Path, path: str) -> str:
    """Publish an increment; die with all else."""
    number = path.rsplit(".", 2)[1]
    if "-" not in number and number.isdecimal():
        return publish(self, staged, path)
    if moment == "before":
        os._exit(9)
    publish(self, staged, path)
    os._exit(9)


Store.publish = dies  # type: ignore[method-assign]
bronze_n.LAST.write_text(sys.argv[2])
materialize(bronze_n.extract)
