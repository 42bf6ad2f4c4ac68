"""A server that speaks S3, and a project that keeps its data there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"  # noqa: S105 - of Amazon's documentation
_READY_SECONDS = 300.0
_TIMEOUT = 600.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int

    @property
    def endpoint(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def create(self, bucket: str) -> str:
        """Make a bucket."""
        request = urllib.request.Request(f"{self.endpoint}/{bucket}", method="PUT")  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http, ours
            assert answer.status == 200
        return bucket

    def variables(self, bucket: str, **changed: str) -> dict[str, str]:
        """Return what a project needs for a bucket."""
        return {
            "STORAGE_BACKEND": "s3",
            "S3_BUCKET": bucket,
            "S3_ENDPOINT": self.endpoint,
            "S3_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "S3_SECRET_ACCESS_KEY": SECRET,
            **changed,
        }


@dataclass(frozen=True)
class Shop:
    """A project, and a Python that has what it needs."""

    root: Path
    python: Path

    def run(self, *args: str | Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run the project's Python in it."""
        return subprocess.run(
            [self.python, *args],
            check=False,
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root / "src"), "SOURCE_RETRIES": "0", **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
        )

    def written(self, asset: str, rows: int, env: Mapping[str, str]) -> list[int]:
        """Publish a snapshot of an asset, and return the rows of all of them as they are read."""
        found = self.script(_WRITE, asset, str(rows), env=env)
        assert isinstance(found, list)
        return found

    def failures(self, changes: Sequence[Mapping[str, str]], env: Mapping[str, str]) -> list[str]:
        """Connect with variables that must not do, and return what is said to each."""
        found = self.script(_FAIL, json.dumps(changes), env=env)
        assert isinstance(found, list)
        return found

    def script(self, text: str, *args: str, env: Mapping[str, str]) -> Any:
        """Run a script and return the document that it prints."""
        done = self.run("-c", text, *args, env=env)
        assert done.returncode == 0, done.stderr
        assert SECRET not in done.stdout + done.stderr
        return json.loads(done.stdout)


_WRITE = """
import json, sys
import polars as pl
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.staging import stage
from core.storage import store
data, asset, rows = store(), AssetId.parse(sys.argv[1]), int(sys.argv[2])
if rows:
    frame = pl.LazyFrame({"x": range(rows)})
    frame = frame.with_columns(y=pl.col("x").hash(1), z=pl.col("x").hash(2))
    data.publish(stage(frame, dict), data.new_path(asset))
print(json.dumps([data.scan(one).collect().height for one in data.snapshots(asset)]))
"""
_FAIL = """
import json, os, sys
from core.storage import store
from polster_runtime.errors import SettingsError, StorageError
usual, said = dict(os.environ), []
for change in json.loads(sys.argv[1]):
    os.environ.clear()
    os.environ.update(usual | change)
    try:
        store()
        said.append("nothing")
    except (SettingsError, StorageError) as error:
        said.append(str(error))
print(json.dumps(said))
"""


@contextmanager
def running(log: Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a server on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, Path(__file__).with_name("server.py"), str(port)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        ) as process,
    ):
        try:
            _wait_for(port, process)
            yield Server(port)
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("moto did not start")
