"""The assets of a project by the names of their files: all that most edits need to know."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from polster_core.model import layout
from polster_core.model.layers import AssetId, of_folder
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.plan.definition import read
from polster_core.project.locate import Project, dagster_files

_ENDING = ".py"


def known(project: Project) -> Pipeline:
    """Return a pipeline that knows no more than names, without opening a file.

    Assets whose files do not have the usual names are missing in it: read the pipeline for them.
    """
    places = layout.current()
    cores, tests = set(_stems(project, places.core)), set(_stems(project, places.tests))
    files = {
        path.stem.removeprefix("run_"): path
        for path in dagster_files(project.root)
        if (layer := of_folder(path)) and path.name.startswith(f"run_{layer}_")
    }
    found = filter(None, map(AssetId.parse, files.keys() | cores))
    return Pipeline(
        root=project.root,
        assets=tuple(
            Asset(
                id=asset,
                key=asset.key,
                core_file=asset.core_file if asset.stem in cores else None,
                asset_file=files.get(asset.stem),
                test_file=asset.test_file if f"test_{asset.stem}" in tests else None,
            )
            for asset in sorted(found)
        ),
    )


def namesake(project: Project, path: PurePosixPath) -> PurePosixPath | None:
    """Return the file that has a path, or that would have it where case does not matter."""
    try:
        names = os.listdir(project.root / path.parent)  # noqa: PTH208 - as paths they are slow
    except OSError:
        return None
    wanted = path.name.casefold()
    return next((path.with_name(name) for name in names if name.casefold() == wanted), None)


def definition(project: Project, asset: AssetId) -> PurePosixPath | None:
    """Return the file that defines an asset elsewhere than usual: an @asset function, or a folder.

    Files that are called after other assets are not opened.
    """
    function = re.compile(rb"\bdef\s+(?:run_)?" + asset.stem.encode() + rb"\s*\(")
    for path in dagster_files(project.root):
        named = path.name.startswith("run_")
        if (named and path.name == asset.asset_file.name and of_folder(path) is asset.layer) or (
            not named and function.search(read(project.root / path) or b"")
        ):
            return path
    return None


def _stems(project: Project, folder: PurePosixPath) -> Iterator[str]:
    try:
        names = os.listdir(project.root / folder)  # noqa: PTH208 - as paths they are slow
    except OSError:
        return
    yield from (name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))
