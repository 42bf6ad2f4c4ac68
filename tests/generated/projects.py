"""A generated project on disk, and what a test does with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from polster_core.model.layers import AssetId, Layer
from tests.generated import types_known, warm
from tests.generated.warm import TIMEOUT, Done
from tests.handmade import asset_file, init_file

_NOT_OURS = (
    *("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PROJECT_ROOT", "DAGSTER_HOME", "VIRTUAL_ENV"),
    *("ENV", "EXECUTOR", "LOG_FORMAT", "LOG_LEVEL", "STORAGE_BACKEND", "TIMEZONE"),
)

PROGRAMS = Path(__file__).with_name("programs")
"""What tests run inside a project, to look at it or to let something happen to it."""
ASSETS = Path(__file__).with_name("assets")
"""Core files that tests copy into projects; each says what it does."""

_CORE = '''"""{stem}."""

import dataframely as dy
import polars as pl

from polster_runtime import run

{code}

if __name__ == "__main__":
    run({function})
'''


@dataclass(frozen=True)
class Generated:
    """A generated project, and the Python that has what it needs.

    What it runs is forked off a warm Python; a `cold` one starts Python as a person does.
    """

    root: Path
    interpreter: Path
    cold: bool = False

    def run(self, *args: str, **how: Any) -> Done:
        """`python run_polster.py ...`."""
        return self.python("run_polster.py", *args, **how)

    def json(self, *args: str, code: int = 0, **how: Any) -> Any:
        """Return the document that `python run_polster.py ... --json` prints."""
        done = self.run(*args, "--json", **how)
        assert done.returncode == code, told(done)
        return json.loads(done.stdout)

    def core(self, stem: str, *args: str, **how: Any) -> Done:
        """`python src/core/silver_example.py ...`."""
        return self.python(self.root / "src" / "core" / f"{stem}.py", *args, **how)

    def pytest(self, *args: str, **how: Any) -> Done:
        """Run the project's own tests."""
        return self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *args, **how)

    def tool(self, name: str, *args: str, **how: Any) -> Done:
        """Run a program that is installed beside the project's Python: ruff, dagster, dg."""
        return execute([self.interpreter.parent / name, *args], **self._how(how))

    def python(self, *args: str | Path, **how: Any) -> Done:
        """Run the project's Python in its root; `env`, `cwd`, `setup` and `cold` change how."""
        cold = how.pop("cold", self.cold) or "setup" in how
        how = self._how(how)
        if cold:
            return execute([self.interpreter, *args], **how)
        return warm.run(self.interpreter, [str(arg) for arg in args], **how)

    def program(self, name: str, *args: str, **how: Any) -> Done:
        """Run one of the programs of tests/generated/programs in the project."""
        return self.python(PROGRAMS / f"{name}.py", *args, **how)

    def start(self, *args: str | Path, **how: Any) -> subprocess.Popen[str]:
        """Start the project's Python and do not wait."""
        return popen([self.interpreter, *args], **self._how(how))

    def begin(self, *args: str | Path, **how: Any) -> subprocess.Popen[str]:
        """Start it forked off a warm Python, and do not wait; it takes signals as the real one."""
        command = warm.client(self.interpreter, self.interpreter, self.root / "src")
        return popen([*command, *args], **self._how(how))

    def variables(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of whatever runs in the project."""
        ours = {name: text for name, text in os.environ.items() if name not in _NOT_OURS}
        beside = f"{self.interpreter.parent}{os.pathsep}{ours['PATH']}"
        src = str(self.root / "src")
        ours |= {"PYTHONPATH": src, "PATH": beside, "COLUMNS": "100", "SOURCE_RETRIES": "0"}
        return {**ours, **types_known.variables(self.interpreter), **(env or {})}

    def _how(self, how: dict[str, Any]) -> dict[str, Any]:
        return {"cwd": self.root, **how, "env": self.variables(how.get("env"))}

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, unindented."""
        for path, text in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(dedent(text), encoding="utf-8")

    def add(self, stem: str, code: str, deps: Iterable[str] = ()) -> None:
        """Write an asset by hand: both of its files, and its name in the layer's package."""
        asset = AssetId.parse(stem)
        assert asset is not None, stem
        needs = [found for dep in deps if (found := AssetId.parse(dep))]
        text = _CORE.format(stem=stem, code=dedent(code), function=asset.layer.function)
        self.write({str(asset.core_file): text, str(asset.asset_file): asset_file(asset, needs)})
        self._register(asset.layer)

    def place(self, stem: str, file: str, deps: Iterable[str] = ()) -> None:
        """Add an asset whose core file is one of tests/generated/assets."""
        asset = AssetId.parse(stem)
        assert asset is not None, stem
        shutil.copyfile(ASSETS / f"{file}.py", self.root / asset.core_file)
        needs = [found for dep in deps if (found := AssetId.parse(dep))]
        self.write({str(asset.asset_file): asset_file(asset, needs)})
        self._register(asset.layer)

    def edit(self, path: str | Path, old: str, new: str) -> None:
        """Replace a text that is there, wherever it stands in a file."""
        text = (self.root / path).read_text("utf-8")
        assert old in text, f"{path} has no {old!r}"
        (self.root / path).write_text(text.replace(old, new), encoding="utf-8")

    def _register(self, layer: Layer) -> None:
        folder = (self.root / layer.init_file).parent
        keys = [file.stem for file in folder.glob("run_*.py")]
        (self.root / layer.init_file).write_text(init_file(layer, keys), encoding="utf-8")

    def line_of(self, stem: str, text: str) -> int:
        """Return the number of the line of a core file that holds some text."""
        lines = (self.root / "src" / "core" / f"{stem}.py").read_text("utf-8").splitlines()
        (found,) = [number for number, line in enumerate(lines, 1) if text in line]
        return found

    def rows(self, asset: str) -> list[dict[str, Any]]:
        """Return the rows that a reader of an asset gets; what is not JSON comes as text."""
        done = self.program("read_rows", asset, cold=False)
        assert done.returncode == 0, told(done)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def files(self, stem: str) -> list[Path]:
        """Return the published files of an asset, the oldest first."""
        layer, _, name = stem.partition("_")
        return sorted((self.root / "data" / layer / name).glob("*.parquet"))

    def staged(self) -> list[str]:
        """Return what lies in the staging folder."""
        folder = self.root / "data" / ".staging"
        files = (path for path in folder.rglob("*") if path.is_file())
        return sorted(path.name for path in files if path.suffix != ".lock")

    def state(self, asset: str) -> str:
        """Return the state of an asset, as --status tells it."""
        found: dict[str, str] = {
            one["key"]: one["status"] for one in self.json("--status")["assets"]
        }
        return found[f"run_{asset}"]


def execute(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    setup: Callable[[], None] | None = None,
    seconds: float = TIMEOUT,
) -> Done:
    """Run a program without a terminal and return what it said."""
    return subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
        preexec_fn=setup,
    )


def popen(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start a program in a process group of its own, its output together."""
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )


def told(done: Done) -> str:
    """Return all that a program said, for the message of a failed assertion."""
    return f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"


def initialise(folder: Path, *options: str) -> None:
    """`polster init` in place of what is not there yet; neither environment nor git."""
    command = [sys.executable, "-m", "polster_core", "init", folder.name, "--no-setup", "--no-git"]
    done = execute([*command, *options], cwd=folder.parent, env=os.environ)
    assert done.returncode == 0, told(done)


def copy(template: Path, target: Path) -> Path:
    """Copy a project that has never run."""
    shutil.copytree(template, target, symlinks=True)
    return target


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold a lock among the processes of a test run.

    The system lets go of it when the holder dies, so that nobody waits for the dead.
    """
    import fcntl

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
