"""A project that reads PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from database import PASSWORD

_TIMEOUT = 600.0
_ROWS = """
import json, sys
from core.storage import read
print(json.dumps(read(sys.argv[1]).sort("id").collect().to_dicts(), default=str))
"""
_READ = """
import json, sys
from polster_runtime.errors import SourceError
from polster_postgres import Postgres

def read(position=None, **known):
    frames, source = [], Postgres(**known).read(position)
    try:
        while True:
            frames.append(next(source))
    except StopIteration as end:
        first = frames[0].head(9)
        columns = {n: [str(first[n].dtype), *map(repr, first[n].to_list())] for n in first.columns}
        sizes = [frame.height for frame in frames]
        return {"columns": columns, "sizes": sizes, "position": end.value}
    except SourceError as error:
        return {"error": str(error), "final": error.final}

print(json.dumps([read(**one) for one in json.loads(sys.argv[1])]))
"""
_SCHEMA = """
import json, sys
from core.storage import read
frame = read(sys.argv[1]).sort("id").collect()
print(json.dumps({n: [str(frame[n].dtype), *map(repr, frame[n].to_list())] for n in frame.columns}))
"""


@dataclass(frozen=True)
class Shop:
    """A project, a Python that has what it needs, and where its database is."""

    root: Path
    python: Path
    variables: Mapping[str, str]

    def add(self, name: str, *options: str) -> None:
        """Add a bronze asset that reads the database."""
        from polster_core.testing import polster

        given = ["--layer", "bronze", "--name", name, "--template", "postgres", *options]
        polster(self.root, "add-asset", *given).succeeded()

    def run(
        self, *args: str | Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the project's Python in it."""
        src = {"PYTHONPATH": str(self.root / "src"), "SOURCE_RETRIES": "0"}
        done = subprocess.run(
            [self.python, *args],
            check=False,
            cwd=self.root,
            env={**os.environ, **src, **self.variables, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
        )
        assert PASSWORD not in done.stdout + done.stderr
        return done

    def read(self, name: str) -> None:
        """Run the asset; it must succeed."""
        done = self.run(f"src/core/bronze_{name}.py")
        assert done.returncode == 0, done.stderr

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of an asset."""
        found: list[dict[str, Any]] = json.loads(self._done("-c", _ROWS, f"bronze_{name}"))
        return found

    def columns(self, name: str) -> dict[str, list[str]]:
        """Return the columns of an asset: type and values, as Python writes them."""
        found: dict[str, list[str]] = json.loads(self._done("-c", _SCHEMA, f"bronze_{name}"))
        return found

    def sources(
        self, *sources: Mapping[str, Any], env: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Read sources in one process: the arguments of `Postgres`, and a `position`.

        Returns columns (of nine rows), sizes (of the frames) and position of each, or its error.
        """
        found: list[dict[str, Any]] = json.loads(
            self._done("-c", _READ, json.dumps(sources), env=env)
        )
        return found

    def _done(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        done = self.run(*args, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout
