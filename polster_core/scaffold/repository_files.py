"""Pipelines at the top of a repository, for a project in a folder of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from polster_core.errors import PluginError, PolsterError
from polster_core.plan.apply import apply
from polster_core.plan.definition import Step, draft, read
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.project.repository import is_pipeline, top_of
from polster_core.types import NewFile


def steps(
    project: Project,
    files: Iterable[NewFile],
    known: manifest.Manifest | None,
    *,
    force: bool = False,
) -> Iterator[Step]:
    """Yield a step for each file that is missing there, or not what is wanted.

    One that somebody has edited is a step that fails, with what to do, unless `force`. Raises
    PluginError for a path that is no pipeline's.
    """
    for file in files:
        top = top_of(project.root)
        if top is None or not is_pipeline(file.path):
            raise PluginError(f"{file.path} is not a project's to write ({file.origin})")
        before = read(top / file.path)
        after = _wanted(file, before)
        if after != before:
            written = (known.repository if known else {}).get(file.path)
            mine = before is None or force or after.startswith(before)
            edited = not mine and written != manifest.digest(before or b"")
            yield Step(
                name="write",
                target=os.path.relpath(top / file.path),
                summary="where the platform looks for it",
                run=partial(_write, top, file, after, edited=edited),
            )


def stale(
    project: Project, files: Iterable[NewFile], known: manifest.Manifest
) -> Iterator[NewFile]:
    """Yield those that are there as Polster once wrote them, and that it would write otherwise."""
    top = top_of(project.root) or project.root
    for file in files:
        before = read(top / file.path)
        if before is None or _wanted(file, before) == before:
            continue
        if known.repository.get(file.path) == manifest.digest(before):
            yield file


def digests(files: Iterable[NewFile]) -> Mapping[PurePosixPath, str]:
    """Return what a manifest notes of pipelines."""
    return {file.path: manifest.digest(file.content) for file in files}


def outdated(project: Project, files: Iterable[NewFile]) -> list[PurePosixPath]:
    """Return those that are missing at the top of the repository, or not what is wanted."""
    top = top_of(project.root) or project.root
    there = ((file, read(top / file.path)) for file in files)
    return [file.path for file, before in there if _wanted(file, before) != before]


def _wanted(file: NewFile, before: bytes | None) -> bytes:
    """Return what a file shall be; the pipeline of GitLab is one for all projects: jobs join it."""
    if before is None or file.path.name != ".gitlab-ci.yml":
        return file.content
    if _job(file.content) in before.splitlines():
        return before
    return before.rstrip(b"\n") + b"\n\n" + file.content


def _job(content: bytes) -> bytes:
    """Return the line that begins the job."""
    return next(line for line in content.splitlines() if line[:1] not in {b"#", b" ", b""})


def _write(top: Path, file: NewFile, content: bytes, *, edited: bool) -> str:
    if edited:
        raise PolsterError(
            f"{file.path} of the repository is not as Polster would write it; it stays",
            hint="polster add-cicd PLATFORM --force  replaces it",
        )
    apply(draft(top, [NewFile(path=file.path, text=content)], command="add-cicd"))
    return "where the platform looks for it"
