"""Where the partitions of an asset are: one folder each, partition=KEY, with its own snapshots.

What a file system might not take in a name is written as ~ and two hexadecimal digits: the hour
2026-01-31-05:00 is in partition=2026-01-31-05~3A00.
"""

import re
import shlex
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.snapshots import is_full, is_snapshot

PREFIX = "partition="
KEYS = 2**17
"""Names that are remembered: an asset of 10,000 partitions needs each several times."""
PLAIN = re.compile(r"[\w.-]*[\w-]", re.ASCII)
"""Keys that are written as they are."""
LONGEST = 200
"""Characters of a folder's name: file systems take 255."""


@lru_cache(KEYS)
def folder_name(key: str) -> str:
    """The name of the folder of a partition."""
    safe = quote(key, safe="").replace("~", "%7E").replace("%", "~")
    return PREFIX + (f"{safe[:-1]}~2E" if safe.endswith(".") else safe)


@lru_cache(KEYS)
def key_of(name: str) -> str:
    """The partition of a folder; empty for a folder of something else."""
    if not name.startswith(PREFIX):
        return ""
    key = name.removeprefix(PREFIX)
    if PLAIN.fullmatch(key):
        return key
    key = unquote(key.replace("~", "%"))
    return key if folder_name(key) == name else ""


def folders_among(paths: Iterable[str]) -> dict[str, str]:
    """The folders of partitions that are among the paths in a folder, by key, in their order."""
    folders = (path.rstrip("/") for path in paths)
    found = {key: path for path in folders if (key := key_of(path.rsplit("/", 1)[-1]))}
    return dict(sorted(found.items()))


def asset_of_path(path: str) -> AssetId:
    """The asset, or the partition of one, that a file holds rows of."""
    folders = [part for part in path.split("/")[:-1] if part != "_rejected"]
    key = key_of(folders[-1])
    layer, name = folders[-3:-1] if key else folders[-2:]
    return AssetId(layer, name, key)


def chosen(asset: AssetId) -> str:
    """The options of run_polster.py that choose an asset, or one of its partitions."""
    name, key = f"--asset {asset.whole}", shlex.quote(asset.partition)
    if asset.partition.startswith("-"):
        return f"{name} --partition={key}"
    return f"{name} --partition {key}" if asset.partition else name


def how_to_run(asset: AssetId, *options: str) -> str:
    """The command that runs an asset, or one of its partitions."""
    return " ".join(["python run_polster.py", chosen(asset), *options])


def what_to_do(path: str) -> str:
    """What helps against a damaged file: to delete it only where nothing else is lost with it."""
    if not is_snapshot(path):
        return ""
    if is_full(path):
        return "; delete it to go back to the snapshot before it"
    return f"; reload everything with  {how_to_run(asset_of_path(path), '--full-refresh')}"
