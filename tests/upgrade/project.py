"""Projects of a few files, as one Polster generated them and another would generate them now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from polster_core.model.ownership import Owner, owner_of
from polster_core.plan.definition import Plan
from polster_core.project import base, manifest
from polster_core.types import NewFile
from polster_core.upgrade.planning import Sources, draft_upgrade, outcomes, verified
from polster_core.upgrade.verdicts import Outcome

Texts = Mapping[str, str]


def generated(texts: Texts) -> dict[PurePosixPath, NewFile]:
    """Return texts as what a Polster generates."""
    return {
        PurePosixPath(path): NewFile(path=PurePosixPath(path), text=text, origin="project")
        for path, text in texts.items()
    }


def lay_out(root: Path, old: Texts, mine: Texts) -> None:
    """Write a project that was generated as `old`, and that its team made `mine` of."""
    root.mkdir(parents=True, exist_ok=True)
    files = [*generated(old).values()]
    known = manifest.Manifest(name="shop", polster="0.0.1")
    texts = {file.path: file.content for file in files if owner_of(file.path) is Owner.SHARED}
    entries = {
        file.path: manifest.Entry(digest=manifest.digest(file.content), origin=file.origin)
        for file in files
        if owner_of(file.path) is not Owner.TEAM
    }
    written = [
        *generated(mine).values(),
        manifest.file(manifest.Manifest(name="shop", polster=known.polster, files=entries)),
        base.base_file(root, texts),
    ]
    for file in written:
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        (root / file.path).write_bytes(file.content)


def planned(root: Path, new: Texts) -> tuple[list[Outcome], Plan]:
    """Decide and plan the upgrade of such a project to what is generated as `new`."""
    known = manifest.load(root)
    sources = Sources(
        root=root, known=known, base=verified(known, base.read_base(root)), target=generated(new)
    )
    decided = outcomes(sources)
    made = manifest.Manifest(name=known.name, answers=known.answers, plugins=known.plugins)
    return decided, draft_upgrade(sources, decided, made)
