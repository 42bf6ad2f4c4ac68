"""Generated projects that run: fixtures for every test that needs one.

`runtime` is a Python with all that a generated project needs (its requirements, its `dev` extra and
dagster-dg-cli), built once for a whole test run, whatever the number of workers.

`project` makes a new project, written by `polster init`, for one test:

    def test_it(project: MakeProject) -> None:
        shop = project()                          # with the samples
        bare = project(samples=False, files={"src/core/bronze_x.py": "..."})
        bare.add("bronze_orders", "def extract() -> pl.DataFrame: ...")    # an asset by hand
        assert shop.run("--select", "+gold_example").returncode == 0
        assert shop.core("silver_example").returncode == 0     # a direct run
        assert shop.pytest().returncode == 0

`ran` is one that has run already, for tests that only look. See `Generated` in projects.py for
all that it can do. Nothing is installed for a project: its `src` is on PYTHONPATH.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from tests.generated import guides, types_known
from tests.generated.projects import Generated, copy, execute, initialise, only_one, told

EXTRAS = ("dagster-dg-cli>=1.13,<1.14",)
FIRST_IMPORTS = "import dagster_webserver.cli, dagster._cli, dagster._daemon.cli, polars, pytest"
"""What has byte code before the first tests start: several at once would compile the same."""
SELDOM = "import gc; gc.set_threshold(50_000, 20, 20)\n"
"""A line of a .pth file: looking for garbage is a third of what importing Dagster takes."""


class MakeProject(Protocol):
    """Make a project in the test's own folder."""

    def __call__(
        self,
        name: str = "shop",
        *,
        samples: bool = True,
        files: Mapping[str, str] | None = None,
    ) -> Generated:
        """With or without the samples; `files` are written on top."""


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a folder that all workers of this test run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "generated"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def templates(shared: Path) -> Mapping[bool, Path]:
    """Return projects to copy from: with samples, and without."""
    found = {True: shared / "samples" / "shop", False: shared / "bare" / "shop"}
    with only_one(shared / "templates.lock"):
        for samples, folder in found.items():
            if not folder.exists():
                folder.parent.mkdir(exist_ok=True)
                initialise(folder, "--sample-assets" if samples else "--no-sample-assets")
                compileall.compile_dir(folder / "src", quiet=2)  # not in each copy again
    return found


@pytest.fixture(scope="session")
def runtime(templates: Mapping[bool, Path]) -> Path:
    """Return the Python of an environment with everything that a generated project needs."""
    pyproject = templates[True] / "pyproject.toml"
    home = environments(pyproject)
    environment, ready = home / "runtime", home / "runtime.ready"
    with only_one(home / "runtime.lock"):
        if not ready.exists():
            shutil.rmtree(environment, ignore_errors=True)
            uv("venv", "-q", str(environment))
            python = environment / "bin" / "python"
            install(python, "-r", str(pyproject), "--extra", "dev", *EXTRAS)
            _succeed(str(python), "-c", FIRST_IMPORTS)
            ready.touch()
        (packages,) = environment.glob("lib/python*/site-packages")
        (packages / "seldom.pth").write_text(SELDOM, encoding="utf-8")
        python = environment / "bin" / "python"
        if not types_known.shared(python).exists():
            learnt = home / "mypy"
            shop = Generated(templates[True], python)
            assert shop.tool("mypy", env={types_known.VARIABLE: str(learnt)}).returncode == 0
            learnt.rename(types_known.shared(python))
    types_known.lend(python, python)
    return python


def environments(pyproject: Path) -> Path:
    """Return a folder for environments that one test run leaves to the next.

    Its name stands for what a project asks for today, and for the Python: others get their own.
    """
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    asked = [sys.version, f"{datetime.now(UTC):%G-%V}", *EXTRAS, *project["dependencies"]]
    digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"polster-environments-{digest}"
    folder.mkdir(exist_ok=True)
    return folder


def install(python: Path, *requirements: str) -> None:
    """Install into the environment of a Python, which compiles what it imports, once.

    To compile all that is installed takes a minute; most of it is never imported.
    """
    uv("pip", "install", "-q", "-p", str(python), *requirements)


def also(runtime: Path, name: str, *requirements: str) -> Path:
    """Install more into the runtime, once for all workers; return its Python."""
    home = runtime.parents[2]
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    ready = home / f"{name}-{digest}.ready"
    with only_one(home / "runtime.lock"):
        if not ready.exists():
            install(runtime, *requirements)
            ready.touch()
    return runtime


def uv(*args: str) -> None:
    """Run uv; the whole environment goes along, where the certificates of this machine are."""
    _succeed("uv", *args)


def _succeed(*command: str) -> None:
    env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = execute(command, cwd=Path.cwd(), env=env, seconds=600)
    assert done.returncode == 0, told(done)


@pytest.fixture
def project(tmp_path: Path, runtime: Path, templates: Mapping[bool, Path]) -> MakeProject:
    """Make projects; see the top of this file."""
    return maker(tmp_path, runtime, templates)


@pytest.fixture(scope="session")
def ran(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Generated:
    """Return a project with samples that has run once, for tests that only look at it."""
    shop = maker(tmp_path_factory.mktemp("ran"), runtime, templates)()
    done = shop.run()
    assert done.returncode == 0, told(done)
    return shop


@pytest.fixture(scope="session")
def built(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Generated:
    """Return a project with the pipeline of the guides, which has run, and its other assets."""
    return guides.build(maker(tmp_path_factory.mktemp("built"), runtime, templates)(samples=False))


def maker(folder: Path, runtime: Path, templates: Mapping[bool, Path]) -> MakeProject:
    """Return what makes projects in a folder."""

    def make(
        name: str = "shop", *, samples: bool = True, files: Mapping[str, str] | None = None
    ) -> Generated:
        made = Generated(copy(templates[samples], folder / name), runtime)
        made.write(files or {})
        return made

    return make
