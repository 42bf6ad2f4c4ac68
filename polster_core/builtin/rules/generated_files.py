"""Files that Polster generated: the runtime, and what an upgrade left to decide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from polster_core.errors import PolsterError
from polster_core.model import layout
from polster_core.model.diagnostics import Problem, Severity, ValidationRule
from polster_core.model.ownership import RUNTIME, Owner, owner_of
from polster_core.model.pipeline import Pipeline
from polster_core.model.platforms import split
from polster_core.plan.definition import read
from polster_core.project import manifest
from polster_core.project.manifest import Manifest
from polster_core.project.repository import folder_of, top_of

_NEW_SUFFIX = ".polster-new"
_CHANGE_ELSEWHERE = (
    "put the change into src/core or src/orchestration, and bring Polster's text back with  "
    "polster upgrade"
)


def manifest_problems(pipeline: Pipeline) -> Iterator[Problem]:
    """Find a manifest that cannot be read, or that a newer Polster wrote."""
    try:
        manifest.find(pipeline.root)
    except PolsterError as error:
        yield Problem(path=manifest.PATH, message=error.reason, hint=error.hint or "")


def runtime_problems(pipeline: Pipeline) -> Iterator[Problem]:
    """Find files of the vendored runtime that somebody edited, added or deleted."""
    known = _manifest(pipeline)
    if known is None:
        return
    recorded = [path for path in known.files if owner_of(path) is Owner.POLSTER]
    for path in recorded:
        content = read(pipeline.root / path)
        if content is None:
            hint = "polster upgrade  brings it back"
            yield Problem(path=path, message="is missing from the runtime", hint=hint)
        elif not known.wrote(path, content):
            yield Problem(
                path=path,
                message="was edited, and the next upgrade replaces it",
                severity=Severity.WARNING,
                hint=_CHANGE_ELSEWHERE,
            )
    for file in sorted((pipeline.root / RUNTIME).rglob("*.py")) if recorded else ():
        path = PurePosixPath(file.relative_to(pipeline.root).as_posix())
        if path not in known.files:
            yield Problem(
                path=path,
                message="is not Polster's, and lies in its runtime",
                severity=Severity.WARNING,
                hint=f"move it to {layout.current().core} or {layout.current().assets.parent}",
            )


def missing_generated_files(pipeline: Pipeline) -> Iterator[Problem]:
    """Find code that was generated, that the team may edit, and that is gone."""
    known = _manifest(pipeline)
    for path in manifest.missing_shared_code(pipeline.root, known) if known else ():
        yield Problem(
            path=path,
            message="was generated, and is missing",
            severity=Severity.WARNING,
            hint=f"if something still needs it, bring it back:  git checkout {path}",
        )


def open_conflicts(pipeline: Pipeline) -> Iterator[Problem]:
    """Find files that an upgrade wrote beside one that it could not merge."""
    known = _manifest(pipeline)
    for path in known.files if known else ():
        beside = path.with_name(f"{path.name}{_NEW_SUFFIX}")
        if (pipeline.root / beside).exists():
            yield Problem(
                path=beside,
                message=f"has what an upgrade could not merge into {path.name}",
                severity=Severity.WARNING,
                hint=f"take what you want into {path.name}, then delete it",
            )


def unread_pipelines(pipeline: Pipeline) -> Iterator[Problem]:
    """Find pipelines of a project in a folder of a repository that the platform does not see."""
    known = _manifest(pipeline)
    yield from (
        Problem(path=manifest.PATH, message=message, hint=hint)
        for message, hint in (unseen_pipelines(pipeline.root, known) if known else ())
    )


def unseen_pipelines(root: Path, known: Manifest) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each pipeline that platforms look for at the top, and what to do."""
    top, folder = top_of(root), folder_of(root)
    if top is None or not folder:
        return
    for name in split(known.answers.get("cicd", "")):
        hint = f"polster add-cicd {name}"
        above = [path for path in known.repository if _HOMES.get(name) == path.parts[0]]
        if name in _HOMES and not above:
            yield f"{name}: the pipeline in {folder} is where the platform never looks", hint
        for path in above:
            text = read(top / path)
            if text is None:
                yield f"{path} is missing at the top of the repository", hint
            elif path.name == ".gitlab-ci.yml" and f"{folder}/{path}".encode() not in text:
                yield f"{path} of the repository has no job that starts {folder}/{path}", hint


_HOMES = {"github-actions": ".github", "gitlab-ci": ".gitlab-ci.yml"}
"""Where platforms look that look at the top of a repository alone."""


def _manifest(pipeline: Pipeline) -> Manifest | None:
    try:
        return manifest.find(pipeline.root)
    except PolsterError:  # which `manifest_problems` says
        return None


RULES = (
    ValidationRule(
        name="manifest",
        summary="What was generated is known, and not by a newer Polster.",
        check=manifest_problems,
    ),
    ValidationRule(
        name="edited-runtime",
        summary="The vendored runtime is as Polster wrote it.",
        check=runtime_problems,
    ),
    ValidationRule(
        name="missing-generated-file",
        summary="The code that was generated is there.",
        check=missing_generated_files,
    ),
    ValidationRule(
        name="open-conflict",
        summary="Every conflict of an upgrade is decided.",
        check=open_conflicts,
    ),
    ValidationRule(
        name="unseen-pipeline",
        summary="Pipelines are where their platforms look for them.",
        check=unread_pipelines,
    ),
)
