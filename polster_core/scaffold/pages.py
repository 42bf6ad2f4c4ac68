"""Pages of a project that a folder has already: the folder's stay, and ours get other names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from polster_core.types import NewFile

KEPT = "kept"
"""The answer that names the pages of somebody else, separated by commas."""
_DOCS = PurePosixPath("docs")
OTHER_NAMES: Mapping[PurePosixPath, PurePosixPath] = {
    PurePosixPath("README.md"): _DOCS / "polster.md",
    PurePosixPath("AGENTS.md"): _DOCS / "polster-agents.md",
}
"""Where our text goes; any other page is left out."""


def is_page(path: PurePosixPath) -> bool:
    """Whether a file is documentation, which the project works without."""
    return path.suffix == ".md" and (len(path.parts) == 1 or path.parts[0] == _DOCS.name)


def beside_kept(files: Iterable[NewFile], answers: Mapping[str, str]) -> Iterator[NewFile]:
    """Yield the files of a project without the pages that somebody else keeps."""
    kept = {PurePosixPath(path) for path in answers.get(KEPT, "").split(",") if path}
    for file in files:
        if file.path not in kept:
            yield file
        elif other := OTHER_NAMES.get(file.path):
            text = file.content.replace(b"](docs/", b"](")
            yield replace(file, path=other, text=text)


__all__ = ["KEPT", "OTHER_NAMES", "beside_kept", "is_page"]
