"""From 0.1.0 to 0.2.0: the runtime became the package `polster_runtime`.

0.1.0 wrote the runtime into `src/core/runtime` and `src/orchestration/runtime`, the sources of
connectors into `src/core/sources` (without recording them), and a copy of every generated file
below `.polster/base`. Assets keep their imports: see `polster_core.upgrade.old_imports`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from polster_core.model.ownership import RUNTIME
from polster_core.plan.definition import read
from polster_core.project import base
from polster_core.project.manifest import Entry, Manifest
from polster_core.upgrade.planning import Sources

VERSION = "0.2.0"
OLD_RUNTIMES = (PurePosixPath("src/core/runtime"), PurePosixPath("src/orchestration/runtime"))
OLD_SOURCES = PurePosixPath("src/core/sources")
_STORAGE = PurePosixPath("src/core/storage.py")
"""It was 359 lines of runtime; edited or not, it cannot work without the rest of them."""

_SOURCES: Mapping[str, str] = {
    "__init__": "cfe0f14f702adf563ed692e3c8284a628f533a23ee584b34ab34294584d394d5",
    "api": "7e07976e1e2edf8f4d54a0947756f0b698923bc8702efdd71db2aa6bb12a9513",
    "api_answer": "ddfa0a9166de57dc91cb099bdfe4bbfd1d0ae2a4af1dfdbb99e23bd314c12534",
    "api_client": "830b09d6dc4415366ac77b93ff1aa5b7b03273324b7eea18f21f16138db82b56",
    "api_pages": "17de4b3509df890f1a2e2d36c1736d597e40036310a7b5edf004a380749454cf",
    "api_rows": "bf3fd5b7f357b2be3dc2339c96d13aa94a1c6e3b3f8a5f9ff19a0763a68d1d3a",
    "mysql": "7c3d5df523c02b35cc457c7108488db2efc717f708692d9486ffdabc83a91f9d",
    "mysql_columns": "7175db39f89e4cb8c88efc354e9491249f1d649275d45bb030cdd12ebd7b8e04",
    "mysql_session": "daa80fcfd936e8ac8d92f8adb4bde59dbae92202e3b85e807408c41e5be1a771",
    "mysql_window": "26447b8eb89dc27abd4c97e78bad7839294deaedd903677da99c08c7d1ce38d9",
    "sftp": "2f9ac2a0013821cd9121e27ed6823f3a5a96c7afc947a0d4da8d8c4342c31620",
    "sftp_client": "58db68d06d73017c892514ea667df6d1f840f6235eb3519bb8ae2586ac43fdfb",
    "sftp_files": "858285a63dc2213c20f5103ef8e25c799232e4b5d2c55f01a59de44d0c51a54d",
    "sftp_formats": "14e529222c7ccb4eedcfd43cda233fa44340a23845c861435806e68890203f70",
    "sftp_position": "36a5de59f93e4d47b26c8fbda4ba7777194d4f5a91adc7993f5b36101e0b1ca0",
}
"""The modules of `src/core/sources` that 0.1.0 wrote, by their SHA-256."""


def adopt(root: Path, known: Manifest) -> Manifest:
    """Record the sources of connectors that the project has."""
    found = {
        path: Entry(digest=digest, origin="connectors")
        for name, digest in _SOURCES.items()
        if read(root / (path := OLD_SOURCES / f"{name}.py")) is not None
    }
    return replace(known, files={**found, **known.files})


def amend(sources: Sources) -> Sources:
    """Retire the old runtime, edited or not, and drop the old copies."""
    return replace(
        sources,
        retired={*sources.retired, *_retired(sources.known)},
        obsolete=(*sources.obsolete, base.OLD_FOLDER),
    )


def notes(root: Path, known: Manifest) -> Iterator[str]:
    """Yield where files of the team name what is called otherwise now, and how."""
    for path in _texts(root):
        relative = PurePosixPath(path.relative_to(root).as_posix())
        content = read(path) or b""
        if known.wrote(relative, content):
            continue
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            if found := _COMMAND.search(line):
                now = _COMMANDS.get(found[1], "polster_runtime")
                yield f"{relative}:{number}: {found[0]} is now  python -m {now}"
            elif path.suffix == ".py" and _OLD_MESSAGE in line:
                yield f"{relative}:{number}: that message is now  connection refused"


def _texts(root: Path) -> Iterator[Path]:
    """Yield the scripts, pipelines and tests of a project."""
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(one for one in inner if one not in _NOT_THEIRS)
        for name in sorted(files):
            if Path(name).suffix in _SCRIPTS or name in {"Makefile", "Dockerfile", "crontab"}:
                yield Path(folder, name)


_SCRIPTS = frozenset({".py", ".sh", ".yml", ".yaml", ".toml", ".ps1", ".cmd", ".bat"})
_NOT_THEIRS = frozenset(
    {".git", ".polster", ".venv", "__pycache__", "data", "node_modules", "runtime"}
    | {RUNTIME.name, OLD_SOURCES.name}
)
_COMMAND = re.compile(r"python3? -m (?:core|orchestration)\.runtime\.(\w+)")
_COMMANDS: Mapping[str, str] = {
    **{name: f"polster_runtime {name}" for name in ("doctor", "lineage", "quarantine", "state")},
    "copying": "polster_runtime storage copy",
    "retention": "polster_runtime storage prune",
}
_OLD_MESSAGE = "nothing listens there"
"""What generated tests of `--template api` look for."""


def _retired(known: Manifest) -> Iterator[PurePosixPath]:
    for path in known.files:
        if path == _STORAGE or any(
            path.is_relative_to(old) for old in (*OLD_RUNTIMES, OLD_SOURCES)
        ):
            yield path


__all__ = ["VERSION", "adopt", "amend", "notes"]
