"""What a project needs at run time, as code in its `src/` or as dependencies.

The runtime of every project is the package `polster_runtime`. With it come parts that only some
projects need: a storage backend, a source. A part is a package, too, of Polster or of a plugin, and
what says where it is used is an entry point. A project either holds all of that as code, or
depends on the distributions that have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from importlib.util import find_spec, module_from_spec
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from polster_core.errors import PluginError, PolsterError
from polster_core.types import NewFile, RuntimePart

Delivery = Literal["vendored", "package"]
DELIVERIES: tuple[Delivery, ...] = get_args(Delivery)

RUNTIME = "polster_runtime"
OPTIONAL = (
    "dagster/engines/celery",
    "dagster/engines/dask",
    "dagster/engines/k8s",
    "config/key_vault",
    "dagster/drain",
    "sources/api",
    "sources/files",
    "sources/mysql",
    "sources/project",
    "sources/sftp",
    "storage/backends/adls",
    "testing",
)
"""Folders of the runtime that are left out unless a part asks for them."""
_ENGINES = tuple(f"dagster/engines/{name}" for name in ("celery", "dask", "k8s"))
_OF_ENGINES = (
    *("__init__", "diagnosis", "engine", "executor"),
    *(
        "identity",
        "logs",
        "one_partition",
        "partitions",
        "preconditions",
        "reconnect",
        "tasks",
        "worker",
    ),
)
SHARED = {
    "cli/worker.py": _ENGINES,
    **{f"dagster/engines/{name}.py": _ENGINES for name in _OF_ENGINES},
    "sources/incremental.py": ("sources/api", "sources/mysql"),
    "sources/shapes.py": ("sources/api", "sources/files"),
}
"""Modules that come with the parts that import them, and with a source or executor of a plugin."""
GROUPS = {
    "storage": "polster_runtime.storage",
    "source": "polster_runtime.sources",
    "secrets": "polster_runtime.secrets",
    "listener": "polster_runtime.listeners",
    "executor": "polster_runtime.executors",
}
"""The groups of entry points, by the field of a part."""
LOCAL = RuntimePart(package="polster_runtime.storage.backends.local", storage="local")
"""The backend of every project: tests, and work without a network, need it."""
_SOURCE = PurePosixPath("src")


def requirement() -> str:
    """Return what a project depends on that does not hold its runtime as code."""
    major, minor, *_ = version().split(".")
    return f"polster-runtime>={version()},<{major}.{int(minor) + 1}"


def version() -> str:
    """Return the version of the runtime that comes with this Polster."""
    return version_in(runtime_folder() / "__init__.py")


def version_in(file: Traversable) -> str:
    """Return the `__version__` of a Python file; "" if it has none or cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found = [line.partition("=")[2].strip(" \"'") for line in lines if line.startswith("__vers")]
    return found[0] if found else ""


def files() -> Iterator[NewFile]:
    """Yield the runtime as files of a project, without the parts that only some need."""
    left_out = [PurePosixPath(RUNTIME, path).parts for path in (*OPTIONAL, *SHARED)]
    for path, file in _below(runtime_folder(), PurePosixPath(RUNTIME)):
        if not any(path.parts[: len(folder)] == folder for folder in left_out):
            yield _file(path, file, origin="project")


def part_files(parts: Iterable[RuntimePart]) -> Iterator[NewFile]:
    """Yield the packages of parts as files of a project.

    Raises PluginError for a part whose package is not installed.
    """
    files = {file.path: file for part in parts for file in _files_of(part)}
    yield from files.values()


def _files_of(part: RuntimePart) -> Iterator[NewFile]:
    names = part.package.split(".")
    if names[0] != RUNTIME or "/".join(names[1:]) in OPTIONAL:
        found = _below(package_folder(part.package), PurePosixPath(*names))
        yield from (_file(path, file) for path, file in found)
        yield from _shared(part)


def _shared(part: RuntimePart) -> Iterator[NewFile]:
    """Yield the modules of the runtime that come with a part."""
    name = part.package.removeprefix(f"{RUNTIME}.").replace(".", "/")
    is_of_plugin = not part.package.startswith(f"{RUNTIME}.")
    for path, users in SHARED.items():
        wanted = part.source if path.startswith("sources/") else part.executor
        if name in users or (is_of_plugin and wanted):
            yield _file(PurePosixPath(RUNTIME, path), runtime_folder().joinpath(path))


def entry_points(parts: Iterable[RuntimePart]) -> dict[str, dict[str, str]]:
    """Return the entry points of parts: group -> name -> package."""
    found: dict[str, dict[str, str]] = {}
    for part in parts:
        for field, group in GROUPS.items():
            if name := getattr(part, field):
                found.setdefault(group, {})[name] = part.package
    return {group: dict(sorted(names.items())) for group, names in sorted(found.items())}


def packages(parts: Iterable[RuntimePart]) -> list[str]:
    """Return the top-level packages of parts beside the runtime, as folders of a project."""
    tops = {part.package.partition(".")[0] for part in parts} - {RUNTIME}
    return [f"{_SOURCE}/{top}" for top in sorted(tops)]


def of(pyproject: dict[str, object]) -> Delivery:
    """Return how a project gets its runtime, by its parsed pyproject.toml."""
    tool = pyproject.get("tool")
    own = tool.get("polster") if isinstance(tool, dict) else None
    said = own.get("runtime") if isinstance(own, dict) else None
    return "package" if said == "package" else "vendored"


def check_version(root: Path) -> None:
    """Raise PolsterError unless parts of this Polster fit the runtime that a project holds."""
    held = version_in(root / _SOURCE / RUNTIME / "__init__.py")
    if held != version():
        told = f"version {held}" if held else "none"
        raise PolsterError(
            f"src/{RUNTIME} is {told}, but what this Polster would add needs {version()}",
            hint="bring the project up to it first:  polster upgrade",
        )


def runtime_folder() -> Traversable:
    """Return the folder of `polster_runtime`: in the wheel, or in Polster's own repository.

    Raises PolsterError if it is not there.
    """
    here = resources.files("polster_core")
    for folder in (here / "_runtime" / RUNTIME, Path(__file__).parents[1] / "runtime" / RUNTIME):
        if folder.is_dir():
            return folder
    raise PolsterError(f"{RUNTIME} is missing from this installation of Polster; install it again")


def package_folder(package: str) -> Traversable:
    """Return the folder of a part's package, without importing it; raises PluginError."""
    top, *rest = package.split(".")
    folder = runtime_folder() if top == RUNTIME else _installed(top)
    folder = folder.joinpath(*rest)
    if not folder.joinpath("__init__.py").is_file():
        raise PluginError(f"there is no package {package}", hint="install the plugin again")
    return folder


def _installed(top: str) -> Traversable:
    """Return the folder of an installed package, without importing it; raises PluginError."""
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise PluginError(f"there is no package {top}", hint="install the plugin again")
    return resources.files(module_from_spec(spec))  # a module that is made, and not executed


def _below(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Yield the files below a folder, each with its path behind the path of the folder."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _below(entry, path / entry.name)
        elif entry.is_file():
            yield path / entry.name, entry


def _file(path: PurePosixPath, file: Traversable, *, origin: str = "") -> NewFile:
    return NewFile(path=_SOURCE / path, text=file.read_bytes(), origin=origin)
