"""What was generated, by which versions, with which answers: `.polster/` of a project.

`.polster/manifest.json` lists the generated files that upgrades look after, each with the digest of
its content and the plugin it came from; `.polster/base.zip` has the text of those that a team may
edit, so that an upgrade is a three-way merge of base, project and templates. Assets, their tests
and data belong to the team, and are in neither. Nor is a secret: every file that contains the value
of a secret option is left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import polster_core
from polster_core.errors import PolsterError
from polster_core.model.ownership import Owner, owner_of
from polster_core.project.base import base_file, read_base
from polster_core.types import NewFile

FORMAT = 1
PATH = PurePosixPath(".polster/manifest.json")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One generated file: the digest of its pristine content, and the plugin that wrote it."""

    digest: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What was generated.

    `answers` maps options to values, without secrets; `plugins` maps the plugins that were active
    to their distributions.
    """

    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[PurePosixPath, Entry] = field(default_factory=dict)
    polster: str = polster_core.__version__


def record(
    manifest: Manifest,
    generated: Iterable[NewFile],
    *,
    root: Path | None = None,
    secrets: Iterable[str] = (),
) -> Iterator[NewFile]:
    """Yield the manifest with the generated files added, and the archive with their base.

    `root` is the project, where it exists. `secrets` are values that must not get into either.
    Raises PolsterError where the archive of the project cannot be read.
    """
    hidden = [secret.encode() for secret in secrets if secret]
    public = [
        file
        for file in generated
        if owner_of(file.path) is not Owner.TEAM
        and not any(secret in file.content for secret in hidden)
    ]
    entries = {
        **manifest.files,
        **{file.path: Entry(digest=digest(file.content), origin=file.origin) for file in public},
    }
    yield NewFile(path=PATH, text=_dump(manifest, entries), origin="polster")
    texts = {file.path: file.content for file in public if owner_of(file.path) is Owner.SHARED}
    yield base_file(root, {**(read_base(root) if root else {}), **texts})


def find(root: Path) -> Manifest | None:
    """Read a project's manifest, if it has one; raises PolsterError like `load`."""
    return load(root) if (root / PATH).is_file() else None


def load(root: Path) -> Manifest:
    """Read a project's manifest.

    Raises PolsterError if there is none, if it is no manifest, or if a newer Polster wrote it.
    """
    try:
        found = json.loads((root / PATH).read_text(encoding="utf-8"))
        if found["format"] > FORMAT:
            raise PolsterError(
                f"{PATH} was written by Polster {found['polster']}, which is newer than this one",
                hint="pip install --upgrade polster",
            )
        return Manifest(
            name=found["name"],
            answers=dict(found["answers"]),
            plugins=dict(found["plugins"]),
            files={
                PurePosixPath(path): Entry(digest=entry["sha256"], origin=entry["origin"])
                for path, entry in found["files"].items()
            },
            polster=found["polster"],
        )
    except FileNotFoundError as error:
        raise PolsterError(f"{PATH} is missing: nothing says how it was generated") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PolsterError(
            f"{PATH} cannot be read: {error}", hint=f"restore it:  git checkout {PATH}"
        ) from error


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content whose line ends git may have changed."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _dump(manifest: Manifest, entries: Mapping[PurePosixPath, Entry]) -> str:
    found = {
        "format": FORMAT,
        "polster": manifest.polster,
        "name": manifest.name,
        "answers": dict(sorted(manifest.answers.items())),
        "plugins": dict(sorted(manifest.plugins.items())),
        "files": {
            str(path): {"sha256": entries[path].digest, "origin": entries[path].origin}
            for path in sorted(entries)
        },
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
