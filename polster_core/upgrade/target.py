"""What the installed Polster and its plugins would generate for a project, as it is chosen now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from polster_core import delivery as runtime
from polster_core.assets.resolve import AssetRequest, resolve
from polster_core.model.layers import AssetId
from polster_core.model.ownership import Owner, owner_of
from polster_core.model.platforms import DEPLOYED, NONE, split
from polster_core.plugins.manager import Plugins
from polster_core.project.locate import Project
from polster_core.project.manifest import Manifest
from polster_core.project.repository import folder_of
from polster_core.scaffold import cicd, storage
from polster_core.scaffold import project as scaffold
from polster_core.types import (
    AssetTemplate,
    Contribution,
    Deployment,
    Executor,
    NewFile,
    RuntimePart,
    StorageBackend,
)
from polster_core.upgrade.old_imports import Runtime, compatibility_files, old_imports


@dataclass(frozen=True, kw_only=True)
class Target:
    """The generated files, and names that code of the team imports and that are gone."""

    files: Mapping[PurePosixPath, NewFile]
    lost: Sequence[str] = ()


def target(
    project: Project, plugins: Plugins, known: Manifest, delivery: runtime.Delivery
) -> Target:
    """Generate a project again from what its manifest and its files say was chosen.

    Raises PluginError where a plugin that has a part in it fails.
    """
    texts = _texts_of_the_team(project.root, known)
    kept, lost = _compatible(plugins, known, texts)
    mentions = b"\n".join([*texts, *(file.content for file in kept)])
    added = list(_added(project, plugins, known, mentions))
    answers = {"storage": "local", "cicd": NONE, **known.answers}
    request = scaffold.ProjectRequest(
        name=known.name,
        storage=answers["storage"],
        cicd=answers["cicd"],
        delivery=delivery,
        answers={**_defaults(plugins, answers), **answers},
        added=tuple(added),
        folder=folder_of(project.root),
        executor=answers.get("executor", ""),
    )
    found = [
        *scaffold.generated(plugins, request),
        *_files_of_backends(project, known, added),
        *_files_of_templates(project, known, added),
        *cicd.generated(project, plugins, split(request.cicd), request.answers),
        *kept,
    ]
    return Target(
        files={file.path: file for file in found if owner_of(file.path) is not Owner.TEAM},
        lost=lost,
    )


def _texts_of_the_team(root: Path, known: Manifest) -> list[bytes]:
    """Read the code that stays whatever an upgrade does: assets, tests, and what was edited."""
    found = []
    for folder in ("src", "tests", "notebooks", "scripts"):
        for path in sorted((root / folder).rglob("*.py")):
            relative = PurePosixPath(path.relative_to(root).as_posix())
            if owner_of(relative) is Owner.POLSTER or "__pycache__" in relative.parts:
                continue
            content = path.read_bytes()
            if not known.wrote(relative, content) and not _is_retired(relative, known):
                found.append(content)
    return found


def _is_retired(path: PurePosixPath, known: Manifest) -> bool:
    """Whether an edited file is part of the old runtime, and so does not stay."""
    return path in known.files and any(path.is_relative_to(one.parent) for one in _OLD_PACKAGES)


def _compatible(
    plugins: Plugins, known: Manifest, texts: Iterable[bytes]
) -> tuple[list[NewFile], list[str]]:
    """Return what keeps imports from before Polster 0.2 working, where the project is that old."""
    if not any(path in known.files for path in _OLD_PACKAGES):
        return [], []
    parts = [part for _, one in _offered(plugins) for part in one.runtime]
    files = {file.path: file.content for file in (*runtime.files(), *runtime.part_files(parts))}
    return compatibility_files(old_imports(texts), Runtime(files))


_OLD_PACKAGES = tuple(
    PurePosixPath("src", package, "__init__.py")
    for package in ("core/runtime", "core/sources", "orchestration/runtime")
)


def _offered(
    plugins: Plugins,
) -> Iterator[tuple[str, StorageBackend | Executor | Deployment | AssetTemplate]]:
    for name, backend in plugins.storage_backends().items():
        yield plugins.owner(StorageBackend, name), backend
    for name, executor in plugins.executors().items():
        yield plugins.owner(Executor, name), executor
    for name, deployment in plugins.deployments().items():
        yield plugins.owner(Deployment, name), deployment
    for name, template in plugins.asset_templates().items():
        yield plugins.owner(AssetTemplate, name), template


def _added(
    project: Project, plugins: Plugins, known: Manifest, mentions: bytes
) -> Iterator[tuple[str, Contribution]]:
    """Yield what the project got after it was made: backends, executors, and kinds of assets."""
    for plugin, offer in _offered(plugins):
        if isinstance(offer, Deployment):
            if offer.name in split(known.answers.get(DEPLOYED, NONE)):
                yield plugin, offer
        elif isinstance(offer, Executor):
            if offer.name != known.answers.get("executor") and _is_held(offer.runtime, known):
                yield plugin, offer
        elif isinstance(offer, StorageBackend):
            if offer.name == known.answers.get("storage"):
                continue
            made = storage.files(project, offer, plugin, known.answers)
            wrote = any(file.path in known.files for file in made)
            if wrote or _is_mentioned(offer.runtime, mentions):
                yield plugin, offer
        elif offer.name in known.templates or _is_mentioned(offer.runtime, mentions):
            yield plugin, offer


def _is_held(parts: Iterable[RuntimePart], known: Manifest) -> bool:
    """Whether a project holds parts as code; one that depends on them has its requirements."""
    folders = (PurePosixPath("src", *part.package.split(".")) for part in parts)
    return any(folder / "__init__.py" in known.files for folder in folders)


def _is_mentioned(parts: Iterable[RuntimePart], text: bytes) -> bool:
    """Whether code imports what a contribution alone has; readers of files serve several."""
    own = (part for part in parts if part.source or part.storage)
    return any(part.package.encode() in text for part in own)


def _defaults(plugins: Plugins, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers to options that the project was never asked about."""
    flags = scaffold.relevant(plugins, answers["storage"], answers["cicd"])
    return {flag.name: default for flag in flags if (default := flag.option.default) is not None}


def _files_of_backends(
    project: Project, known: Manifest, added: Iterable[tuple[str, Contribution]]
) -> Iterator[NewFile]:
    for plugin, one in added:
        if isinstance(one, StorageBackend | Executor | Deployment):
            yield from storage.files(project, one, plugin, known.answers)


def _files_of_templates(
    project: Project, known: Manifest, added: Iterable[tuple[str, Contribution]]
) -> Iterator[NewFile]:
    """Yield what templates wrote besides assets, for the asset that they were used for first."""
    for plugin, one in added:
        use = known.templates.get(one.name)
        asset = AssetId.parse(use.asset) if use else None
        if isinstance(one, AssetTemplate) and use and asset:
            request = AssetRequest(asset=asset, template=one, origin=plugin, answers=use.answers)
            yield from resolve(project, request).recorded


__all__ = ["Target", "target"]
