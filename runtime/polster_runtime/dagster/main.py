"""What run_polster.py does."""

import json
import sys
import traceback
from argparse import Namespace
from collections import Counter
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from polster_runtime.assets.keys import name_of
from polster_runtime.config.logging import configure, log
from polster_runtime.config.paths import module, project_root
from polster_runtime.dagster import progress, status
from polster_runtime.dagster import runner as launch
from polster_runtime.dagster import webserver as ui
from polster_runtime.dagster.dry_run import as_text
from polster_runtime.dagster.partition_runs import partitions_of
from polster_runtime.domain.selection import UnknownAsset
from polster_runtime.errors import HistoryError, SettingsError, StorageError
from polster_runtime.execution import interrupts, report
from polster_runtime.execution.report import say
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Snapshot, is_snapshot

DONE, FAILED, USAGE = 0, 1, 2
NOTHING_FAILED = "no asset failed or was skipped last time"


class InvalidProject(Exception):
    """A project that Dagster cannot load; the message says where."""


def main(arguments: Namespace) -> int:
    """Carry out a command line; return the exit code."""
    try:
        configure()
        return _main(arguments)
    except (InvalidProject, SettingsError, UnknownAsset) as error:
        return _fail(str(error), USAGE)
    except (HistoryError, OSError, StorageError, ui.UIError) as error:
        return _fail(str(error), FAILED)
    except (launch.Interrupted, KeyboardInterrupt):
        return interrupts.end_now()


def _main(arguments: Namespace) -> int:
    opens = arguments.ui and not arguments.status
    with ui.only_one() if opens else nullcontext():
        return _carry_out(arguments)


def _carry_out(arguments: Namespace) -> int:
    if arguments.no_materialize and arguments.ui and not arguments.status:
        ui.serve()
        return DONE
    definitions = load()
    if arguments.status or arguments.no_materialize:
        states = status.states(definitions)
        say(json.dumps({"assets": states}) if arguments.json else status.table(states))
        return DONE
    if arguments.dry_run:
        return _plan(definitions, arguments)
    code = _run(definitions, arguments)
    if arguments.ui:
        ui.serve()
    return code


def load() -> dg.Definitions:
    """The project's definitions. Raises InvalidProject with a sentence for whatever is wrong."""
    try:
        found: dg.Definitions = import_module(module("orchestration.definitions")).defs()
        return found
    except SettingsError:
        raise
    except dg.DagsterInvalidDefinitionError as error:
        raise InvalidProject(str(error)) from None
    except SyntaxError as error:
        where = f"{_relative(error.filename or '?')}:{error.lineno}"
        raise InvalidProject(f"{where}: {error.msg}") from None
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if _is_own(frame.filename)] or frames
        where = f"{_relative(own[-1].filename)}:{own[-1].lineno}"
        hint = ""
        if isinstance(error, ModuleNotFoundError) and not _is_own_module(error.name or ""):
            hint = "; if pyproject.toml lists it, install it:  polster setup"
        raise InvalidProject(f"{where}: {type(error).__name__}: {error}{hint}") from None


def _plan(definitions: dg.Definitions, arguments: Namespace) -> int:
    """Show what would be run."""
    plan = launch.planned(
        definitions,
        arguments.asset,
        arguments.select,
        failed=arguments.failed,
        partition=arguments.partition,
        missing=arguments.missing,
    )
    say(json.dumps(plan) if arguments.json else "\n".join(as_text(plan, _width(definitions))))
    return DONE


def _run(definitions: dg.Definitions, arguments: Namespace) -> int:
    width = _width(definitions)
    store()  # a backend that is not there is found before anything runs
    with progress.shown(progress.stream(arguments.json), width):
        outcome = launch.run(
            definitions,
            arguments.asset,
            arguments.select,
            failed=arguments.failed,
            full_refresh=arguments.full_refresh,
            partition=arguments.partition,
            missing=arguments.missing,
        )
    if not outcome["assets"]:
        why = "no partition is missing" if arguments.missing else NOTHING_FAILED
        nothing = f"nothing to run: {why}"
        say(nothing, to=progress.stream(arguments.json))
    if arguments.json:
        say(json.dumps(_with_short_paths(outcome)))
    elif outcome["assets"]:
        _print_summary(outcome, width)
    return DONE if outcome["success"] else FAILED


def _width(definitions: dg.Definitions) -> int:
    """Characters of the longest name of an asset, or of a partition, and a gap."""
    graph = definitions.resolve_asset_graph()
    names = []
    for key in graph.materializable_asset_keys:
        own = partitions_of(graph, key)
        latest = own and own.get_last_partition_key()
        names.append(name_of(key.to_user_string()) + (f"[{latest}]" if latest else ""))
    return max([24, *(len(name) + 2 for name in names)])


def _with_short_paths(outcome: dict[str, Any]) -> dict[str, Any]:
    """An outcome with the paths in the project as a person there would write them."""
    root = f"{project_root().as_posix()}/"
    assets = [
        one | {"path": one["path"] and one["path"].removeprefix(root)} for one in outcome["assets"]
    ]
    return {**outcome, "assets": assets}


def _print_summary(outcome: dict[str, Any], width: int) -> None:
    """What was skipped, what went wrong, how many did not, and the rows of the only gold asset."""
    assets = outcome["assets"]
    for asset in assets:
        if asset["status"] == "skipped":
            say(f"{name_of(asset['key']):<{width}}{'skipped':>17}   {asset['error']}")
    for asset in assets:
        if asset["status"] == "failed":
            _fail(f"{name_of(asset['key'])}: {asset['error']}", FAILED, before="\n")
    counts = Counter(asset["status"] for asset in assets)
    total = ", ".join(f"{count} {status}" for status, count in sorted(counts.items(), reverse=True))
    noun = "asset" if len(assets) == 1 else "assets"
    say(f"\n{len(assets)} {noun}, {total} in {outcome['seconds']:.1f} s")
    gold = [asset for asset in assets if asset["layer"] == "gold" and asset["path"]]
    gold = [asset for asset in gold if is_snapshot(asset["path"])]  # others may give paths as well
    if len(gold) == 1:
        _show_rows(gold[0]["path"])


def _show_rows(path: str) -> None:
    """The first rows of a snapshot. What only shows them never fails a run."""
    try:
        rows = store().scan(Snapshot((path,))).head(report.ROWS).collect()
        say(report.place(path), report.frame(rows))
    except (Exception, pl.exceptions.PanicException) as error:
        log.warning(f"the rows of {report.place(path)} cannot be shown: {error}")


def _fail(message: str, code: int, before: str = "") -> int:
    say(f"{before}{report.red('error:', sys.stderr)} {message}", to=sys.stderr)
    return code


def _is_own(file: str) -> bool:
    return Path(file).is_relative_to(project_root() / "src")


def _is_own_module(name: str) -> bool:
    return (project_root() / "src" / name.partition(".")[0]).is_dir()


def _relative(file: str) -> str:
    path = Path(file)
    if path.is_relative_to(project_root()):
        path = path.relative_to(project_root())
    return path.as_posix()
