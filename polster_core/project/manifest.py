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
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import polster_core
from polster_core.errors import PolsterError
from polster_core.model.ownership import Owner, owner_of
from polster_core.project.base import base_file, read_base
from polster_core.types import NewFile

FORMAT = 2
"""Raised whenever an older Polster could not read a manifest, or would damage the project."""
PATH = PurePosixPath(".polster/manifest.json")


_ROOT_FILES = frozenset({"run_polster.py", "workspace.yaml"})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One generated file: the digest of its pristine content, and the plugin that wrote it."""

    digest: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class TemplateUse:
    """The first asset that a template was used for, and the answers that were given, no secrets."""

    asset: str
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What was generated.

    `answers` maps options to values, without secrets; `plugins` maps the plugins that were active
    to their distributions; `templates` are those of assets that wrote more than an asset, and
    `requirements` are what was added to `pyproject.toml` since it was generated. `repository` maps
    pipelines at the top of the repository, by their paths there, to their digests.
    """

    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, TemplateUse] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    files: Mapping[PurePosixPath, Entry] = field(default_factory=dict)
    repository: Mapping[PurePosixPath, str] = field(default_factory=dict)
    polster: str = polster_core.__version__

    def wrote(self, path: PurePosixPath, content: bytes) -> bool:
        """Whether a file is as it was generated, line ends aside."""
        entry = self.files.get(path)
        return entry is not None and entry.digest == digest(content)


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


def file(manifest: Manifest) -> NewFile:
    """Return the manifest as a file of the project."""
    return NewFile(path=PATH, text=_dump(manifest, manifest.files), origin="polster")


def find(root: Path) -> Manifest | None:
    """Read a project's manifest, if it has one; raises PolsterError like `load`."""
    return load(root) if (root / PATH).is_file() else None


def missing_shared_code(root: Path, manifest: Manifest) -> Iterator[PurePosixPath]:
    """Yield the code that was generated, that the team may edit, and that is gone."""
    for path in manifest.files:
        is_code = path.suffix == ".py" and path.parts[0] == "src"
        is_shared = (is_code or str(path) in _ROOT_FILES) and owner_of(path) is Owner.SHARED
        if is_shared and not (root / path).exists():
            yield path


def load(root: Path) -> Manifest:
    """Read a project's manifest.

    Raises PolsterError if there is none, if it is no manifest, or if a newer Polster wrote it.
    """
    try:
        found = json.loads((root / PATH).read_text(encoding="utf-8"))
        _check_version(found)
        return _read(found)
    except FileNotFoundError as error:
        raise PolsterError(
            f"{PATH} is missing: nothing says how the project was generated",
            hint=f"if git has it, bring it back:  git checkout {PATH}",
        ) from error
    except OSError as error:
        raise PolsterError(f"{PATH} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise PolsterError(f"{PATH} has no {error}", hint=_RESTORE) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise PolsterError(f"{PATH} cannot be read: {error}", hint=_RESTORE) from error


_RESTORE = f"restore it:  git checkout {PATH}"


def _check_version(found: Mapping[str, Any]) -> None:
    """Raise PolsterError for a project that only a newer Polster knows how to change."""
    wrote = str(found["polster"])
    if int(found["format"]) > FORMAT or _release(wrote) > _release(polster_core.__version__):
        raise PolsterError(
            f"this project was written by Polster {wrote}, and this is "
            f"{polster_core.__version__}; nothing was changed",
            hint="pip install --upgrade polster",
        )


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version; none of one that cannot be read."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _read(found: Mapping[str, Any]) -> Manifest:
    return Manifest(
        name=found["name"],
        answers=dict(found["answers"]),
        plugins=dict(found["plugins"]),
        templates={
            name: TemplateUse(asset=use["asset"], answers=dict(use["answers"]))
            for name, use in found.get("templates", {}).items()
        },
        requirements=tuple(map(str, found.get("requirements", ()))),
        files={
            PurePosixPath(path): Entry(digest=entry["sha256"], origin=entry["origin"])
            for path, entry in found["files"].items()
        },
        repository={
            PurePosixPath(path): str(value) for path, value in found.get("repository", {}).items()
        },
        polster=found["polster"],
    )


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
        "templates": {
            name: {"asset": use.asset, "answers": dict(sorted(use.answers.items()))}
            for name, use in sorted(manifest.templates.items())
        },
        "requirements": sorted(set(manifest.requirements)),
    }
    if manifest.repository:
        found["repository"] = {str(path): one for path, one in sorted(manifest.repository.items())}
    head = json.dumps(found, indent=2, ensure_ascii=False).removesuffix("\n}")
    files = ",\n".join(f"    {_line(path, entries[path])}" for path in sorted(entries))
    return f'{head},\n  "files": {{\n{files}\n  }}\n}}\n'


def _line(path: PurePosixPath, entry: Entry) -> str:
    """Return a file's member of the document: one line each keeps it short, and diffs, too."""
    values = {"sha256": entry.digest, "origin": entry.origin}
    return f"{json.dumps(str(path), ensure_ascii=False)}: {json.dumps(values, ensure_ascii=False)}"
