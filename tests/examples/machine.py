"""A fresh environment with Polster and the examples, built and installed as users do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pexpect

from tests.generated.byte_code import lend
from tests.generated.conftest import install, uv
from tests.generated.projects import execute, told
from tests.generated.warm import TIMEOUT, Done
from tests.services import free_port

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PLUGINS = ("polster-plugin-postgres", "polster-plugin-s3")
_SECONDS = 300.0
_TESTS_SECONDS = 900.0
# This terminal does not answer when asked where its cursor is, which prompts would wait for.
_TERMINAL = {"TERM": "xterm", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1"}


@dataclass(frozen=True)
class Machine:
    """An environment, and what a person does in it."""

    folder: Path

    @staticmethod
    def build(folder: Path) -> Machine:
        """Build the wheels, make an environment with pip, and install Polster alone."""
        machine = Machine(folder)
        wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        where = ["--no-build-isolation", "--wheel-dir", str(folder / "wheels")]
        sources = [ROOT, ROOT / "runtime", *(EXAMPLES / plugin for plugin in PLUGINS)]
        machine.done([*wheel, *where, *sources])
        uv("venv", "-q", "--seed", "-p", sys.executable, str(folder / "venv"))
        install(machine.python, str(next((folder / "wheels").glob("polster-[0-9]*.whl"))))
        return machine

    @property
    def python(self) -> Path:
        """Return its Python."""
        return self.folder / "venv" / "bin" / "python"

    def install(self) -> None:
        """Install the plugins from their wheels with pip, and what their tests need with uv."""
        wheels = sorted((self.folder / "wheels").glob("polster_plugin_*.whl"))
        self.pip("install", *wheels)
        # Not compiled: moto has hundreds of services, and one is used.
        uv("pip", "install", "-q", "-p", str(self.python), *(f"{one}[test]" for one in wheels))

    def install_project(self, root: Path, runtime: Path) -> Path:
        """Make a project's environment as `polster setup` does, from the wheels; its Python.

        `runtime` is the Python of an environment that has most of it, with byte code.
        """
        python = root / ".venv" / "bin" / "python"
        uv("venv", "-q", "-p", sys.executable, str(root / ".venv"))
        uv(
            *("pip", "install", "-q", "-p", str(python)),
            *("--find-links", str(self.folder / "wheels"), "-e", f"{root}[dev]"),
        )
        assert lend(runtime, python) > 0
        return python

    def pip(self, *args: str | Path) -> None:
        """Run the environment's pip."""
        self.done([self.python, "-m", "pip", "--quiet", *args])

    def polster(self, *args: str | Path, cwd: Path) -> Done:
        """Run the environment's Polster."""
        return self.run([self.python.parent / "polster", *args], cwd)

    def tests(self, plugin: str, runtime: Path) -> Done:
        """Run the tests of a plugin, as installed; its projects use the Python of `runtime`."""
        pytest = [str(self.python.parent / "pytest"), "-q", "-p", "no:cacheprovider"]
        env = {"PROJECT_PYTHON": str(runtime)}
        return self.run(pytest, EXAMPLES / plugin, env, seconds=_TESTS_SECONDS)

    def asked(self, *args: str, cwd: Path) -> str:
        """Return what a command shows in a terminal until somebody presses Ctrl-C."""
        child = pexpect.spawn(
            str(self.python.parent / "polster"),
            list(args),
            cwd=str(cwd),
            env={**os.environ, **_TERMINAL},
            encoding="utf-8",
            dimensions=(60, 160),
            timeout=int(_SECONDS),
        )
        child.expect_exact("(Use arrow keys)")
        child.expect_exact("function" if "add-asset" in args else "local")
        time.sleep(0.3)  # the choices behind it are written at the same time
        child.sendintr()
        child.expect(pexpect.EOF)
        return str(child.before)

    def run(
        self,
        command: Sequence[str | Path],
        cwd: Path,
        env: Mapping[str, str] | None = None,
        *,
        seconds: float = TIMEOUT,
    ) -> Done:
        """Run a program."""
        ours = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        given = {**ours, "COLUMNS": "120", **(env or {})}
        return execute(command, cwd=cwd, env=given, seconds=seconds)

    def done(self, command: Sequence[str | Path]) -> None:
        """Run a program that must succeed."""
        done = self.run(command, self.folder)
        assert done.returncode == 0, told(done)

    @contextmanager
    def bucket(self) -> Iterator[dict[str, str]]:
        """Run moto's server with a bucket; give what a project needs for it."""
        server, port = EXAMPLES / "polster-plugin-s3/tests/server.py", free_port()
        with (
            (self.folder / "moto.log").open("wb") as log,
            subprocess.Popen(
                [self.python, server, str(port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                _create_bucket(f"http://127.0.0.1:{port}/lake")
                yield {
                    "S3_ENDPOINT": f"http://127.0.0.1:{port}",
                    "S3_ACCESS_KEY_ID": "AKIAEXAMPLE",
                    "S3_SECRET_ACCESS_KEY": "secret-of-the-example",
                }
            finally:
                process.terminate()

    @contextmanager
    def database(self) -> Iterator[dict[str, str]]:
        """Run PostgreSQL with a table of three orders; give what a project needs for it."""
        program = EXAMPLES / "polster-plugin-postgres/tests/database.py"
        with subprocess.Popen(
            [self.python, program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            assert process.stdin
            assert process.stdout
            try:
                variables = json.loads(process.stdout.readline())
                yield variables
            finally:
                process.stdin.close()
                process.wait(_SECONDS)


def _create_bucket(url: str) -> None:
    request = urllib.request.Request(url, method="PUT")  # noqa: S310 - http, ours
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                return
        except OSError:
            assert time.monotonic() < deadline, "moto did not start"
            time.sleep(0.1)
