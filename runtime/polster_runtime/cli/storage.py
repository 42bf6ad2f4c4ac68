"""The data of this project: copy it to another store, or delete old snapshots.

    python -m polster_runtime storage copy --from local --to adls [--dry-run] [--json]
    python -m polster_runtime storage prune [--dry-run] [--json]

`copy` verifies each file and deletes nothing; SNAPSHOT_RETENTION says which snapshots stay.
"""

import argparse
import json
import sys
from collections.abc import Iterator

from polster_runtime.config.logging import configure
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import SettingsError, StorageError
from polster_runtime.storage.copying import copy, files, size_of
from polster_runtime.storage.registry import backends, store
from polster_runtime.storage.retention import prune
from polster_runtime.storage.snapshots import Snapshot, written_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    commands = parser.add_subparsers(dest="command", required=True)
    copied = commands.add_parser("copy", help="copy all snapshots to another store")
    copied.add_argument("--from", dest="source", required=True, choices=backends())
    copied.add_argument("--to", dest="target", required=True, choices=backends())
    copied.add_argument("--dry-run", action="store_true", help="copy nothing")
    pruned = commands.add_parser("prune", help="delete old snapshots, as SNAPSHOT_RETENTION says")
    pruned.add_argument("--dry-run", action="store_true", help="delete nothing")
    for command in (copied, pruned):
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def main(arguments: argparse.Namespace) -> int:
    """Carry out a command line; return the exit code."""
    return _copy(arguments) if arguments.command == "copy" else _prune(arguments)


def _copy(arguments: argparse.Namespace) -> int:
    try:
        configure()
        source, target = store(arguments.source), store(arguments.target)
        if arguments.source == arguments.target:
            raise SettingsError(f"--from and --to are both {arguments.source}")
        wanted = list(files(source))
        if arguments.dry_run:
            wanted = [
                path
                for path in wanted
                if size_of(target, target.root + path.removeprefix(source.root)) is None
            ]
            copied = len(wanted)
        else:
            copied = sum(copy(source, target, path) for path in wanted)
    except (SettingsError, StorageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return _tell(arguments, copied, len(wanted))


def _tell(arguments: argparse.Namespace, copied: int, files_: int) -> int:
    if arguments.json:
        print(json.dumps({"dry_run": arguments.dry_run, "copied": copied, "files": files_}))
    elif arguments.dry_run:
        print(f"{copied} files would be copied (--dry-run)")
    else:
        print(f"{copied} files copied and verified, {files_ - copied} were there already")
    return 0


def _prune(arguments: argparse.Namespace) -> int:
    try:
        configure()
        if not settings().snapshot_retention:
            raise SettingsError("SNAPSHOT_RETENTION is not set: every snapshot stays")
        data = store()
        chains = (chain for asset in data.assets() for chain in data.chains(asset))
        gone = [(chain, prune(data, chain, arguments.dry_run)) for chain in chains]
    except (SettingsError, StorageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        found = [
            {"asset": str(asset), "path": one.paths[0]} for asset, all_ in gone for one in all_
        ]
        print(json.dumps({"deleted": not arguments.dry_run, "snapshots": found}))
    else:
        print("\n".join(_lines(gone, arguments.dry_run)))
    return 0


def _lines(gone: list[tuple[AssetId, list[Snapshot]]], dry_run: bool) -> Iterator[str]:
    total = sum(len(snapshots) for _, snapshots in gone)
    for asset, snapshots in gone:
        if snapshots:
            first, last = snapshots[0].paths[0], snapshots[-1].paths[0]
            yield (
                f"{asset!s:<24}{len(snapshots):>6} of {written_at(first):%Y-%m-%d} to "
                f"{written_at(last):%Y-%m-%d}"
            )
    yield f"{total} snapshots {'would be deleted (--dry-run)' if dry_run else 'deleted'}"
