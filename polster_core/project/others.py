"""Other projects, read as their files say: nothing of them is imported or run."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from polster_core.model import layout
from polster_core.model.layers import AssetId
from polster_core.model.pipeline import Pipeline
from polster_core.project.locate import Project, is_project
from polster_core.project.parsing.files import quiet, read_source
from polster_core.project.parsing.source import ParsedFile
from polster_core.project.reader import read_core, read_pipeline

SOURCE = "Project"
"""The class of the runtime whose call in a core file says what is read."""


@dataclass(frozen=True, kw_only=True)
class Other:
    """A project beside the one that a command works in; `key_prefix` is "" where it has none."""

    root: Path
    name: str
    key_prefix: str
    pipeline: Pipeline

    def columns(self, asset: AssetId) -> tuple[str, ...]:
        """Return the columns that the contract of an asset writes out; none where it does not."""
        project = Project(self.root)
        with _working_in(project):
            core = read_core(project, asset)
        return (core.columns if core else None) or ()


def read_other(root: Path) -> Other | None:
    """Read the project in a folder; `None` where there is none."""
    if not is_project(root):
        return None
    project = Project(root)
    with _working_in(project) as places:
        return Other(
            root=root,
            name=project.name,
            key_prefix=places.key_prefix,
            pipeline=read_pipeline(project, core=False),
        )


@dataclass
class Others:
    """Projects that were read once."""

    known: dict[Path, Other | None] = field(default_factory=dict)

    def at(self, root: Path) -> Other | None:
        """Return the project in a folder; `None` where there is none."""
        place = Path(os.path.realpath(root))
        if place not in self.known:
            self.known[place] = read_other(place)
        return self.known[place]

    def circle(self, root: Path, bronze: AssetId, gold: AssetId, at: Path) -> list[str] | None:
        """Return the way from a gold asset of the project `at` back to a bronze one, if any.

        `bronze` is of the project in `root`; it may not be there yet.
        """
        goal = (Path(os.path.realpath(root)), bronze)
        todo: list[tuple[Path, AssetId, list[str]]] = [(Path(os.path.realpath(at)), gold, [])]
        seen = set()
        while todo:
            place, asset, way = todo.pop()
            if (place, asset) == goal:
                return [str(bronze), *way[::-1], str(bronze)]
            if (place, asset) in seen:
                continue
            seen.add((place, asset))
            here = f"{place.name}/{asset}" if place != goal[0] else str(asset)
            todo += [(*up, [*way, here]) for up in self._upstream(place, asset)]
        return None

    def _upstream(self, place: Path, asset: AssetId) -> Iterator[tuple[Path, AssetId]]:
        other = self.at(place)
        found = other.pipeline.by_key.get(asset.key) if other else None
        for dep in found.deps if found else ():
            if dep.elsewhere:
                if read := source_of(place, asset):
                    yield Path(os.path.realpath(place / read.folder)), dep.elsewhere[1]
            elif dep.id:
                yield place, dep.id


@dataclass(frozen=True)
class Source:
    """What a core file reads of another project: `Project("gold_customers", "../crm")`."""

    asset: str
    folder: str


def source_of(root: Path, asset: AssetId) -> Source | None:
    """Return what the core file of a bronze asset reads of another project, if that is written."""
    project = Project(root)
    with _working_in(project), quiet():
        source = read_source(root, asset.core_file)
    if not isinstance(source, ParsedFile):
        return None
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts: list[object] = [one.value for one in node.args if isinstance(one, ast.Constant)]
            named = {one.arg: one.value for one in node.keywords}
            if node.func.id == SOURCE:
                texts += [_text(named, name) for name in ("asset", "folder")[len(texts) :]]
                if all(isinstance(text, str) and text for text in texts):
                    return Source(*map(str, texts[:2]))
    return None


def _text(named: Mapping[str | None, ast.expr], name: str) -> object:
    found = named.get(name)
    return found.value if isinstance(found, ast.Constant) else ""


@contextmanager
def _working_in(project: Project) -> Iterator[layout.Layout]:
    """Work in the layout of another project while the block lasts."""
    before = layout.current()
    try:
        yield layout.use(project.settings.get("package"), project.settings.get("key-prefix"))
    finally:
        layout.use(before.package, before.key_prefix)


__all__ = ["Other", "Others", "Source", "read_other", "source_of"]
