"""The plan that removes assets: their files and registrations, and what Dagster knows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from polster_core import edit
from polster_core.assets import data as stored
from polster_core.assets import history, texts
from polster_core.errors import PolsterError
from polster_core.model import Asset, Fault, Pipeline, Place
from polster_core.plan import Plan, draft, read
from polster_core.project import Project
from polster_core.reading.source import Source, parse
from polster_core.types import NewFile


@dataclass(frozen=True, kw_only=True)
class Removal:
    """A plan, and what else to know."""

    plan: Plan
    warnings: tuple[str, ...] = ()


def plan(
    project: Project, pipeline: Pipeline, assets: Sequence[Asset], *, data: bool = False
) -> Removal:
    """Plan to remove assets; with `data`, what they have stored as well.

    Raises PolsterError while other assets depend on them or other files import them, and for code
    that cannot be taken out safely.
    """
    _refuse_dependents(pipeline, assets)
    gone = _files(pipeline, assets)
    _refuse_imports(project, assets, gone)
    folders = [stored.folder(one.id) for one in assets if data and stored.there(project, one.id)]
    drafted = draft(
        project.root,
        _packages(project, assets),
        deleted=[*gone, *folders],
        notes={folder: stored.snapshots(project, folder) for folder in folders},
        steps=history.removed(project, [asset.id for asset in assets]),
    )
    warnings = [*(stored.warnings(project, "deleted") if data else ()), *history.warnings(project)]
    return Removal(plan=drafted, warnings=tuple(warnings))


def _refuse_dependents(pipeline: Pipeline, assets: Sequence[Asset]) -> None:
    going = {asset.key for asset in assets}
    for asset in assets:
        staying = [one for one in pipeline.downstream(asset) if one.key not in going]
        if staying:
            names = " and ".join(str(one) for one in staying)
            verb, them = ("depends", "it") if len(staying) == 1 else ("depend", "them")
            whole = " ".join(str(one) for one in _with_downstream(pipeline, assets))
            both = "both" if whole.count(" ") == 1 else "all of them"
            raise PolsterError(
                f"{names} {verb} on {asset}",
                hint=f"remove {them} first, or remove {both}:  polster remove-asset {whole}",
            )


def _with_downstream(pipeline: Pipeline, assets: Sequence[Asset]) -> list[Asset]:
    """Return the assets with all that is made from them, in the order of flow."""
    found = {asset.key for asset in assets}
    queue = list(assets)
    while queue:
        for one in pipeline.downstream(queue.pop()):
            if one.key not in found:
                found.add(one.key)
                queue.append(one)
    return [asset for asset in pipeline.assets if asset.key in found]


def _files(pipeline: Pipeline, assets: Sequence[Asset]) -> list[PurePosixPath]:
    """Return the files of the assets; raises PolsterError if others are defined in one of them."""
    going = {asset.key for asset in assets}
    for other in pipeline.assets:
        for definition in other.definitions:
            shared = [one for one in assets if one.asset_file == definition.place.path]
            if shared and other.key not in going:
                raise PolsterError(
                    f"{definition.place}: {other} is defined in the same file as {shared[0]}",
                    hint="move it to a file of its own first",
                )
    found = (path for one in assets for path in (one.core_file, one.asset_file, one.test_file))
    return list(dict.fromkeys(path for path in found if path))


def _refuse_imports(
    project: Project, assets: Sequence[Asset], gone: Sequence[PurePosixPath]
) -> None:
    """Refuse while a file that stays imports one that goes."""
    stems = {asset.id.stem.encode(): asset for asset in assets}
    packages = {asset.layer.init_file for asset in assets}
    for path, content in texts.files(project.root, texts.CODE):
        if path in gone or path in packages or not any(stem in content for stem in stems):
            continue
        source = parse(path, content)
        if isinstance(source, Fault):
            continue
        for asset in stems.values():
            for place in _imports(source, asset):
                raise PolsterError(
                    f"{place}: {path.stem} imports {asset}", hint="take that out first"
                )


def _imports(source: Source, asset: Asset) -> Iterator[Place]:
    modules = {asset.id.core_module, asset.id.asset_module, f"tests.test_{asset.id}"}
    for found in source.imports():
        module = found.module.removeprefix("src.")
        if module in modules or f"{module}.{found.name}" in modules:
            yield found.place


def _packages(project: Project, assets: Sequence[Asset]) -> Iterator[NewFile]:
    """Yield the layers' `__init__.py` without the assets."""
    for path in dict.fromkeys(asset.layer.init_file for asset in assets):
        content = read(project.root / path)
        if content is None:
            continue
        for asset in assets:
            if asset.layer.init_file == path:
                content = _unregistered(path, content, asset)
        yield NewFile(path=path, text=content)


def _unregistered(path: PurePosixPath, content: bytes, asset: Asset) -> bytes:
    try:
        return edit.unregister(content, asset.id)
    except edit.CannotEditError as error:
        raise error.at(path) from error
