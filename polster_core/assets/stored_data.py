"""The stored snapshots of an asset, as far as they are on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from polster_core.assets import env_file
from polster_core.model.layers import AssetId
from polster_core.project.locate import Project

_BACKEND = "STORAGE_BACKEND"
_LOCAL = "local"


def folder(asset: AssetId) -> PurePosixPath:
    """Return where the project keeps the asset's snapshots: `data/silver/orders`."""
    return PurePosixPath("data", asset.layer, asset.name)


def there(project: Project, asset: AssetId) -> bool:
    """Whether the asset has stored anything on this machine."""
    return (project.root / folder(asset)).is_dir()


def moved(project: Project, old: AssetId, new: AssetId) -> dict[PurePosixPath, PurePosixPath]:
    """Return the folder that moves with a renamed asset, if there is one."""
    return {folder(old): folder(new)} if there(project, old) else {}


def snapshots(project: Project, path: PurePosixPath) -> str:
    """Say how many snapshots are in a folder: `12 snapshots`."""
    found = (project.root / path).rglob("*.parquet")
    # Increments are called after the full file; one that holds increments may stand in its place.
    count = len({one.stem.partition(".")[0] for one in found if "_rejected" not in one.parts})
    return f"{count} snapshot{'' if count == 1 else 's'}"


def stays(project: Project, assets: Iterable[AssetId]) -> Iterator[str]:
    """Say where the data of removed assets stays."""
    for path in (folder(asset) for asset in assets if there(project, asset)):
        what = snapshots(project, path)
        yield f"  keep    {path}/  {what}; --data deletes it as well"


def warnings(project: Project, done: str) -> Iterator[str]:
    """Warn where the data is not on this machine and so will not be `done`."""
    backend = os.environ.get(_BACKEND) or env_file.in_effect(project).get(_BACKEND, "")
    if backend not in {"", _LOCAL}:
        yield f"{_BACKEND}={backend}: the data there is not {done}"
