"""The plan that renames an asset: its files, every use of it, its data, its history.

Everything is edited in memory and read again the way `polster validate` reads it, so that code
which cannot be renamed is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from polster_core import edit
from polster_core.assets import dagster_history, files, mentions, naming, stored_data
from polster_core.assets.functions import refuse_functions
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.facts import Definition, Fault, Form, Place
from polster_core.model.layers import AssetId, module_of
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.plan.definition import Plan, draft, read
from polster_core.project.locate import Project
from polster_core.project.parsing import dagster_file, package_file
from polster_core.project.parsing.source import parse
from polster_core.rendering.python_source import docstring
from polster_core.types import NewFile


@dataclass(frozen=True, kw_only=True)
class Renaming:
    """A plan, the places that mention the asset and are left alone, and what else to know."""

    plan: Plan
    left: tuple[Place, ...] = ()
    warnings: tuple[str, ...] = ()


def plan(project: Project, pipeline: Pipeline, asset: Asset, name: str) -> Renaming:
    """Plan to give an asset another name within its layer.

    Raises PolsterError for a name that is taken or bad, and, with file and line, for code that
    cannot be renamed safely.
    """
    new = AssetId(asset.layer, name)
    if new == asset.id:
        raise UsageProblem(f"{asset} is called that already")
    refuse_functions([asset], "rename")
    naming.check(project, new)
    rename = _Rename(project, pipeline, asset.id, new, asset.asset_file or asset.id.asset_file)
    wanted = list(rename.wanted())
    folders = stored_data.moved(project, asset.id, new)
    drafted = draft(
        project.root,
        wanted,
        moved={**rename.moved, **folders},
        notes={folder: stored_data.snapshots(project, folder) for folder in folders},
        steps=dagster_history.renamed(project, asset.id, new),
        command=f"rename-asset {asset.id} {new}",
    )
    return Renaming(
        plan=drafted,
        left=tuple(rename.left),
        warnings=(*stored_data.warnings(project, "moved"), *dagster_history.warnings(project)),
    )


@dataclass
class _Rename:
    """One renaming while it is put together; `left` fills while `wanted` is read."""

    project: Project
    pipeline: Pipeline
    old: AssetId
    new: AssetId
    file: PurePosixPath
    """The asset's Dagster file: it may lie below the folder of its layer."""
    left: list[Place] = field(default_factory=list)

    @cached_property
    def moved(self) -> dict[PurePosixPath, PurePosixPath]:
        """The asset's files and the paths that they get."""
        pairs = {
            self.old.core_file: self.new.core_file,
            self.file: self.file.with_name(self.new.asset_file.name),
            self.old.test_file: self.new.test_file,
        }
        return {path: to for path, to in pairs.items() if (self.project.root / path).is_file()}

    def wanted(self) -> Iterator[NewFile]:
        """Yield every file that changes, under its new path."""
        for path, before in mentions.files(self.project.root, mentions.ALL):
            if path.suffix in mentions.CODE:
                if self._concerns(path, before):
                    with _placed(path):
                        after = self._code(path, before)
                    yield from self._changed(path, before, after)
            elif path.suffix in mentions.PROSE:
                yield from self._changed(path, before, self._prose(before))
            elif self._prose(before) != before:
                self.left.append(Place(path))

    def _changed(self, path: PurePosixPath, before: bytes, after: bytes) -> Iterator[NewFile]:
        if after != before:
            note = self._notes.get(path, "")
            yield NewFile(path=self.moved.get(path, path), text=after, note=note)

    def _prose(self, text: bytes) -> bytes:
        return edit.rename_mentions(text, self.old, self.new)

    def _concerns(self, path: PurePosixPath, text: bytes) -> bool:
        """Whether a file may have to change. Quick: most files of a large project do not."""
        if self.old.stem.encode() in text or path in self.moved or path in self._functions:
            return True
        return any(stem.encode() in text for stem in self._callees)

    def _code(self, path: PurePosixPath, before: bytes) -> bytes:
        text = self._own_words(path, before)
        if path == self.old.layer.init_file:
            text = edit.reregister(text, self.old, self.new)
        for function, old, new in self._functions.get(path, ()):
            text = edit.rename_parameter(text, function, old, new)
        edited = edit.rename_references(
            text, path, self.old, self.new, self._parameters, module_of(self.file)
        )
        self.left.extend(Place(path, left.line) for left in edited.left)
        self._check(path, before, edited.data)
        return edited.data

    def _own_words(self, path: PurePosixPath, text: bytes) -> bytes:
        """Rename where Polster wrote the bare name into a docstring of the asset's files."""
        if path not in {self.old.core_file, self.file}:
            return text
        for words, indent in ((files.title, 0), (files.default_description, 1)):
            old, new = (docstring(words(asset), indent=indent) for asset in (self.old, self.new))
            text = text.replace(old.encode(), new.encode(), 1)
        return text

    @cached_property
    def _dependents(self) -> tuple[Asset, ...]:
        asset = self.pipeline.by_key.get(self.old.key)
        return self.pipeline.downstream(asset) if asset else ()

    @cached_property
    def _functions(self) -> dict[PurePosixPath, list[tuple[str, str, str]]]:
        """The functions with a parameter to rename, by file: function, old name, new name."""
        found: dict[PurePosixPath, list[tuple[str, str, str]]] = {}
        for dependent in self._dependents:
            if dependent.core_file:
                names = (files.parameter(self.old), files.parameter(self.new))
                found.setdefault(dependent.core_file, []).append((dependent.layer.function, *names))
            for definition in dependent.definitions:
                for dep in definition.deps:
                    if dep.key != self.old.key or dep.form not in {Form.PARAMETER, Form.INPUT}:
                        continue
                    bare = dep.written == self.old.stem
                    names = (self.old.stem, self.new.stem) if bare else (self.old.key, self.new.key)
                    found.setdefault(definition.place.path, []).append(
                        (definition.function, *names)
                    )
        return found

    @cached_property
    def _parameters(self) -> dict[str, tuple[str, str]]:
        """The core functions whose parameter is renamed, by their full names."""
        old, new = files.parameter(self.old), files.parameter(self.new)
        return {
            f"{dependent.id.core_module}.{dependent.layer.function}": (old, new)
            for dependent in self._dependents
            if dependent.core_file in self._notes
        }

    @cached_property
    def _callees(self) -> tuple[str, ...]:
        return tuple(name.split(".")[1] for name in self._parameters)

    @cached_property
    def _notes(self) -> dict[PurePosixPath, str]:
        """How the functions of the dependents change; those are in it that do."""
        found = {}
        for dependent in self._dependents:
            path = dependent.core_file
            text = read(self.project.root / path) if path else None
            if path and text is not None:
                with _placed(path):
                    if note := self._note(dependent, text):
                        found[path] = note
        return found

    def _note(self, dependent: Asset, text: bytes) -> str:
        function = dependent.layer.function
        old, new = files.parameter(self.old), files.parameter(self.new)
        names = edit.parameters(text, function)
        if names is None and len(dependent.deps) > 1:
            raise edit.CannotEditError(
                f"{function} is not written as a function, so that its parameter cannot be renamed",
                hint=f"write  def {function}({old}, ...)",
            )
        if names is None or old not in names:
            return ""
        before, behind = names.index(old) > 0, names.index(old) < len(names) - 1
        form = f"{function}({'…, ' if before else ''}{{}}{', …' if behind else ''})"
        return f"{form.format(old)} -> {form.format(new)}"

    def _check(self, path: PurePosixPath, before: bytes, after: bytes) -> None:
        """Read the file as it will be; raise PolsterError where it names the asset as before."""
        if path == self.old.layer.init_file:
            self._check_package(path, after)
            return
        was, will_be = _definitions(path, before), _definitions(path, after)
        for old, new in zip(was, will_be, strict=False):
            if old.key == self.old.key and new.key != self.new.key:
                raise _refused(old.place, old.key)
            for one, other in zip(old.deps, new.deps, strict=False):
                if one.id == self.old and other.id != self.new:
                    raise _refused(one.place, one.key)

    def _check_package(self, path: PurePosixPath, after: bytes) -> None:
        source = parse(path, after)
        if isinstance(source, Fault):
            raise PolsterError(f"{source.place}: {source.message}")
        for registration in package_file.package(source, self.old.layer).registrations:
            if registration.key == self.old.key:
                raise _refused(registration.place, self.old.key)


@contextmanager
def _placed(path: PurePosixPath) -> Iterator[None]:
    """Put the file's name before what cannot be edited in it."""
    try:
        yield
    except edit.CannotEditError as error:
        raise error.at(path) from error


def _definitions(path: PurePosixPath, text: bytes) -> tuple[Definition, ...]:
    source = parse(path, text)
    return () if isinstance(source, Fault) else dagster_file.definitions(source)[0]


def _refused(place: Place, key: str) -> PolsterError:
    return PolsterError(
        f"{place}: {key} is named here in a way that cannot be renamed",
        hint=f'write it as  "{key}"',
    )
