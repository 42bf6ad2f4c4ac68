"""A project of the storage contract whose processes import Polars once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from polster_core.delivery import runtime_folder
from polster_core.testing import StorageProject
from tests.generated import warm
from tests.generated.projects import told

SCRIPT = str(runtime_folder() / "testing" / "storage_contract.py")


class WarmProject(StorageProject):
    """One whose processes are forked off a warm Python, where nobody kills or limits them."""

    def do(self, action: str, asset: str, number: int = 1, **how: Any) -> Any:
        """Do something with the project's store, and return what came out."""
        if how:
            return super().do(action, asset, number, **how)
        args = (SCRIPT, action, asset, str(number))
        done = warm.run(self.python, args, cwd=self.root, env=self.environment)
        assert done.returncode == 0, told(done)
        return json.loads(done.stdout)

    @contextmanager
    def start(
        self, action: str, asset: str, number: int = 1, **how: Any
    ) -> Iterator[subprocess.Popen[str]]:
        """Start doing something; what is to be killed is a process of its own."""
        if how or action == "write_for_ever":
            with super().start(action, asset, number, **how) as process:
                yield process
            return
        env = self.environment
        python = warm.client(self.python, self.python, env["PYTHONPATH"])
        with subprocess.Popen(
            [*python, SCRIPT, action, asset, str(number)],
            cwd=self.root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                yield process
            finally:
                process.terminate()
