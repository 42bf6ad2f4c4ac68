"""What plugins add to texts that others write: lines of `.gitignore`, sections of guides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from polster_core.plan.definition import read
from polster_core.plugins.manager import Plugins
from polster_core.project.locate import Project
from polster_core.types import GitignoreLine, GuideSection, NewFile, ProjectContext

_GITIGNORE = PurePosixPath(".gitignore")


def with_additions(
    plugins: Plugins, generated: Iterable[NewFile], context: Callable[[str], ProjectContext]
) -> list[NewFile]:
    """Return the files of a new project with what plugins add to them.

    A plugin that adds to a page that there is not is noted as broken, and its section left out.
    """
    files = {file.path: file for file in generated}
    lines = [line.pattern for _, line in plugins.told(GitignoreLine, context)]
    if (file := files.get(_GITIGNORE)) and lines:
        files[_GITIGNORE] = replace(file, text=_with_lines(file.content, lines))
    for plugin, section in plugins.told(GuideSection, context):
        page = files.get(section.guide)
        if page is None or section.guide.suffix != ".md":
            plugins.blame(plugin, f"guide section {section.title}: no guide {section.guide}")
        else:
            files[section.guide] = replace(page, text=_with_section(page.content, section))
    return list(files.values())


def added(
    project: Project,
    plugins: Plugins,
    context: Callable[[str], ProjectContext],
    by: Iterable[str],
) -> Iterator[NewFile]:
    """Yield the texts of a project that lack what these plugins add to them."""
    names = set(by)
    patterns = [one.pattern for who, one in plugins.told(GitignoreLine, context) if who in names]
    before = read(project.root / _GITIGNORE)
    if before is not None and (after := _with_lines(before, patterns)) != before:
        yield NewFile(path=_GITIGNORE, text=after, origin="polster")
    pages: dict[PurePosixPath, bytes] = {}
    for who, section in plugins.told(GuideSection, context):
        text = pages.get(section.guide) or read(project.root / section.guide)
        if who in names and text is not None:
            pages[section.guide] = _with_section(text, section)
    for path, text in pages.items():
        if text != read(project.root / path):
            yield NewFile(path=path, text=text, origin="polster")


def _with_lines(text: bytes, patterns: Iterable[str]) -> bytes:
    there = {line.strip() for line in text.decode(errors="replace").splitlines()}
    new = [pattern for pattern in dict.fromkeys(patterns) if pattern not in there]
    return _joined(text, "".join(f"{pattern}\n" for pattern in new))


def _with_section(text: bytes, section: GuideSection) -> bytes:
    heading = f"## {section.title}"
    if heading in text.decode(errors="replace").splitlines():
        return text
    return _joined(text, f"\n{heading}\n\n{section.text.strip()}\n")


def _joined(text: bytes, more: str) -> bytes:
    newline = "\r\n" if b"\r\n" in text else "\n"
    end = "" if not more or not text or text.endswith(b"\n") else newline
    return text + (end + more.replace("\n", newline)).encode()


__all__ = ["added", "with_additions"]
