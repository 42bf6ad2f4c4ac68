"""The plan that removes assets: their files and registrations, and what Dagster knows of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from polster_core import edit
from polster_core.assets import dagster_history, mentions
from polster_core.assets import stored_data as stored
from polster_core.assets.functions import refuse_functions
from polster_core.errors import PolsterError
from polster_core.model.facts import Fault, Place
from polster_core.model.layers import module_of
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.plan.definition import Plan, draft, read
from polster_core.project.locate import Project
from polster_core.project.parsing.source import ParsedFile, parse
from polster_core.types import NewFile

_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Removal:
    """A plan, the places that will mention what is gone, and what else to know."""

    plan: Plan
    left: tuple[Place, ...] = ()
    warnings: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


def plan(
    project: Project,
    pipeline: Pipeline,
    assets: Sequence[Asset],
    *,
    data: bool = False,
    force: bool = False,
) -> Removal:
    """Plan to remove assets; with `data`, what they have stored as well.

    Raises PolsterError while other assets depend on them or other files import them: with `force`,
    those are warnings that name what breaks. Raises it in any case for code that cannot be taken
    out safely.
    """
    refuse_functions(assets, "remove")
    gone = _files(pipeline, assets)
    mentioned = list(_mentions(project, assets, gone))
    breaking = [*_dependents(pipeline, assets), *_importers(mentioned, assets)]
    if breaking and not force:
        raise breaking[0]
    folders = [stored.folder(one.id) for one in assets if data and stored.there(project, one.id)]
    drafted = draft(
        project.root,
        _packages(project, assets),
        deleted=[*gone, *folders],
        notes={folder: stored.snapshots(project, folder) for folder in folders},
        steps=dagster_history.removed(project, [asset.id for asset in assets]),
        command=f"remove-asset {' '.join(str(asset.id) for asset in assets)}",
    )
    warnings = [
        *(f"{error.reason}: broken by this removal" for error in breaking),
        *(stored.warnings(project, "deleted") if data else ()),
        *dagster_history.warnings(project),
    ]
    left = tuple(place for place, _ in mentioned)
    stays = () if data else tuple(stored.stays(project, [asset.id for asset in assets]))
    return Removal(plan=drafted, left=left, warnings=tuple(warnings), stays=stays)


def _dependents(pipeline: Pipeline, assets: Sequence[Asset]) -> Iterator[PolsterError]:
    """Yield an error for each asset on which others depend that stay."""
    going = {asset.key for asset in assets}
    for asset in assets:
        staying = [one for one in pipeline.downstream(asset) if one.key not in going]
        if staying:
            names = " and ".join(_shortened(staying))
            verb, them = ("depends", "it") if len(staying) == 1 else ("depend", "them")
            yield PolsterError(
                f"{names} {verb} on {asset}",
                hint=f"remove {them} first{_together(pipeline, assets)}",
            )


def _together(pipeline: Pipeline, assets: Sequence[Asset]) -> str:
    """Return the command that removes the assets with all that is made from them."""
    whole = _with_downstream(pipeline, assets)
    if len(whole) > _SHOWN:
        return f"; {len(whole) - len(assets)} assets are made from it in all"
    both = "both" if len(whole) == 2 else "all of them"  # noqa: PLR2004 - this one and another
    return f", or remove {both}:  polster remove-asset {' '.join(map(str, whole))}"


def _shortened(assets: Sequence[Asset]) -> list[str]:
    names = [str(asset) for asset in assets[:_SHOWN]]
    more = len(assets) - _SHOWN
    return [*names, f"{more} more"] if more > 0 else names


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


def _mentions(
    project: Project, assets: Sequence[Asset], gone: Sequence[PurePosixPath]
) -> Iterator[tuple[Place, bytes]]:
    """Yield, once a file, where one that stays mentions what goes, and the file's content."""
    words = re.compile(rb"(?<!\w)(?:run_)?(?:" + b"|".join(_stems(assets)) + rb")(?!\w)")
    packages = {asset.layer.init_file for asset in assets}
    for path, content in mentions.files(project.root, mentions.CODE | mentions.PROSE):
        found = None if path in gone or path in packages else words.search(content)
        if found is not None:
            yield Place(path, content.count(b"\n", 0, found.start()) + 1), content


def _stems(assets: Sequence[Asset]) -> Iterator[bytes]:
    return (re.escape(asset.id.stem.encode()) for asset in assets)


def _importers(
    mentioned: Sequence[tuple[Place, bytes]], assets: Sequence[Asset]
) -> Iterator[PolsterError]:
    """Yield an error for each import of what goes, and for each file that cannot be parsed."""
    for (path, *_), content in mentioned:
        if path.suffix not in mentions.CODE:
            continue
        source = parse(path, content)
        if isinstance(source, Fault):
            yield PolsterError(
                f"{source.place}: {source.message}; whether this file imports it is unknown",
                hint="fix the file first",
            )
            continue
        for asset in assets:
            for place in _imports(source, asset):
                yield PolsterError(
                    f"{place}: {path.stem} imports {asset}", hint="remove that import first"
                )


def _imports(source: ParsedFile, asset: Asset) -> Iterator[Place]:
    own = module_of(asset.asset_file or asset.id.asset_file)
    modules = {asset.id.core_module, own, ".".join(asset.id.test_file.with_suffix("").parts)}
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
