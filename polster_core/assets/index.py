"""The assets of a project by the names of their files: all that most edits need to know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePosixPath

from polster_core.model.layers import CORE, TESTS, AssetId, Layer
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.project.locate import Project

_ENDING = ".py"


def known(project: Project) -> Pipeline:
    """Return a pipeline that knows no more than names, without opening a file.

    Assets whose files do not have the usual names are missing in it: read the pipeline for them.
    """
    cores, tests = set(_stems(project, CORE)), set(_stems(project, TESTS))
    stems = {
        stem.removeprefix("run_") for layer in Layer for stem in _dagster_stems(project, layer)
    }
    found = filter(None, map(AssetId.parse, stems | cores))
    return Pipeline(
        root=project.root,
        assets=tuple(
            Asset(
                id=asset,
                key=asset.key,
                core_file=asset.core_file if asset.stem in cores else None,
                asset_file=asset.asset_file if asset.stem in stems else None,
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


def _dagster_stems(project: Project, layer: Layer) -> Iterator[str]:
    for stem in _stems(project, layer.init_file.parent):
        if stem.startswith(f"run_{layer}_"):
            yield stem


def _stems(project: Project, folder: PurePosixPath) -> Iterator[str]:
    try:
        names = os.listdir(project.root / folder)  # noqa: PTH208 - as paths they are slow
    except OSError:
        return
    yield from (name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))
