"""Diagnose this machine, this project, its storage and its sources, and suggest fixes.

    python -m polster_runtime doctor [--json]

The exit code is 1 when something is an error.
"""

import argparse
import json
import os
import re
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from polster_runtime.assets.keys import name_of
from polster_runtime.cli.dagster_checks import Check, executor, history, private_names
from polster_runtime.config import dotenv_files, paths
from polster_runtime.config.paths import core_dir, module, project_root
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import HistoryError, PipelineError, SettingsError, StorageError
from polster_runtime.storage.probe import probe_steps
from polster_runtime.storage.registry import backend_module, store
from polster_runtime.storage.store import Store

PACKAGES = ("dagster", "dagster-webserver", "polars", "fsspec", "dataframely")
PYTHONS = ((3, 11), (3, 12), (3, 13))
PORT = 3000
MOST_NAMED = 10
"""Files that are named one by one."""
WORTH_A_RUN = {
    "missing": ("the data is gone", "make it again:  python run_polster.py --asset {}"),
    "failed": ("the last run failed", "see why:  python run_polster.py --asset {}"),
    "stale": ("the data is old", "run it:  python run_polster.py --asset {}"),
}
"""What is worth telling of an asset's status: its meaning, and what to do."""
VARIABLE = re.compile(r"^#? ?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
USED = re.compile(r"\b[A-Z][A-Z0-9_]{2,}\b")


Step = tuple[str, Callable[[], str]]
"""A name, and what does it: it returns what there is to say, or raises."""


def checks() -> Iterator[Check]:
    """All checks, one by one as they are done."""
    yield _python()
    yield _packages()
    yield private_names()
    known = _settings()
    yield known
    if known.status == "ok":
        yield from _unknown_variables()
    yield _port()
    if known.status == "ok":
        yield from history()
        yield from in_order("storage", storage_steps())
        yield from in_order("executor", executor())
        yield from _other_files()
        yield from _assets()
        yield from _sources()


def in_order(name: str, steps: Iterable[Step]) -> Iterator[Check]:
    """Steps that need each other: those after the first that fails are skipped."""
    failed = False
    for step, do in steps:
        if failed:
            yield Check(f"{name}: {step}", "skipped", "")
            continue
        try:
            yield Check(f"{name}: {step}", "ok", do())
        except (PipelineError, OSError) as error:
            failed = True
            message, _, hint = str(error).partition("; ")
            own = hint.removesuffix(", or run  python -m polster_runtime doctor")
            yield Check(f"{name}: {step}", "error", message, own)


def _other_files() -> Iterator[Check]:
    """Parquet files that lie among the snapshots and are none."""
    try:
        found = list(store().other_files())
    except (SettingsError, StorageError, OSError):
        return  # the steps before have said so
    for path in found[:MOST_NAMED]:
        message = f"{path} is not named as a snapshot: nothing reads it"
        yield Check("storage: files", "warning", message, "keep such files outside the data folder")
    if len(found) > MOST_NAMED:
        message = f"{len(found) - MOST_NAMED} more files are not named as snapshots"
        yield Check("storage: files", "warning", message)


def _assets() -> Iterator[Check]:
    """What --status says of the assets: damaged data is an error, the rest a warning."""
    from polster_runtime.dagster.main import InvalidProject, load
    from polster_runtime.dagster.status import states

    try:
        found = states(load())
    except (InvalidProject, SettingsError) as error:
        yield Check("assets", "error", str(error), "polster validate  says more")
        return
    except HistoryError:  # the check of the history has said why
        yield Check("assets", "skipped", "")
        return
    by_status: dict[str, list[str]] = {}
    for one in found:
        by_status.setdefault(one["status"], []).append(name_of(one["key"]))
        if one["status"] == "damaged":
            message, _, hint = one["problem"].partition("; ")
            yield Check(f"data: {name_of(one['key'])}", "error", message, hint)
    for status, (meaning, hint) in WORTH_A_RUN.items():
        if names := by_status.get(status):
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            message = f"{', '.join(names[:MOST_NAMED])}{more}: {meaning}"
            yield Check(f"data: {status}", "warning", message, hint.format(names[0]))
    counts = ", ".join(f"{len(names)} {status}" for status, names in by_status.items())
    yield Check("assets", "ok", counts or "there are none yet")


def _sources() -> Iterator[Check]:
    """What each bronze asset with a `source` that has `steps()` says of it."""
    for file in sorted(core_dir().glob("bronze_*.py")):
        asset = AssetId.parse(file.stem)
        try:
            source = getattr(import_module(module(f"core.{asset}")), "source", None)
        except Exception as error:
            what = f"{type(error).__name__}: {error}".partition("\n")[0]
            yield Check(
                f"source {asset.name}",
                "error",
                f"{file.relative_to(project_root()).as_posix()}: {what}",
            )
            continue
        if callable(steps := getattr(source, "steps", None)):
            yield from in_order(f"source {asset.name}", steps())


def storage_steps() -> Iterator[Step]:
    """What a backend's own `diagnose` looks at, and what every store must be able to do."""
    backend = settings().storage_backend
    opened: list[Store] = []

    def connect() -> str:
        opened.append(store())
        return f"{backend}, {opened[0].root}"

    try:
        own = getattr(backend_module(backend), "diagnose", list)
    except ModuleNotFoundError:
        own = list  # store() says what is missing
    yield from own()
    yield "connect", connect
    yield from probe_steps(opened)


def _python() -> Check:
    text = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in PYTHONS:
        return Check("python", "ok", text)
    return Check("python", "error", f"{text} is not supported", "use Python 3.11, 3.12 or 3.13")


def _packages() -> Check:
    try:
        found = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    except PackageNotFoundError as error:
        return Check("packages", "error", f"{error.name} is missing", 'pip install -e ".[dev]"')
    return Check("packages", "ok", found)


def _settings() -> Check:
    try:
        settings()
    except SettingsError as error:
        return Check("settings", "error", str(error), "change it in .env, or in the shell")
    read = " and ".join(file.name for file in dotenv_files.files()) or "no .env"
    return Check("settings", "ok", f"environment {settings().env}, from {read}")


def _unknown_variables() -> Iterator[Check]:
    """Names in .env and the like that nothing in the project reads."""
    names = dotenv_files.values()
    example = paths.project_root() / ".env.example"
    listed = VARIABLE.findall(example.read_text("utf-8")) if example.exists() else []
    known = {*listed, *_used_in_code(), "DAGSTER_HOME", "DAGSTER_POSTGRES_URL", "PROJECT_ROOT"}
    for name in names:
        if name not in known and name.lower() not in vars(settings()):
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "delete it, if nothing needs it"
            yield Check("settings: .env", "warning", f"nothing reads {name}", hint)


def _used_in_code() -> set[str]:
    files = (paths.project_root() / "src").rglob("*.py")
    return {word for file in files for word in USED.findall(file.read_text("utf-8"))}


def _port() -> Check:
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return Check("port", "warning", f"port {PORT} is taken", "--ui will use the next one")
    return Check("port", "ok", f"port {PORT} is free")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def main(arguments: argparse.Namespace) -> int:
    """Do all checks and tell what they found."""
    found = []
    for check in checks():
        found.append(check)
        if not arguments.json:
            print(f"{check.status:<9}{check.name}: {check.message}".rstrip(": "), flush=True)
            if check.hint:
                print(f"{'':<9}{check.hint}", flush=True)
    ok = all(check.status != "error" for check in found)
    if arguments.json:
        print(json.dumps({"ok": ok, "checks": [asdict(check) for check in found]}))
    return 0 if ok else 1
