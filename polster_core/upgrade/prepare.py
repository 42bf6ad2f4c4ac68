"""Decide an upgrade: read what was generated, generate again, compare, plan."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import polster_core
from polster_core import delivery
from polster_core.assets import pyproject
from polster_core.delivery import Delivery
from polster_core.model.ownership import Owner
from polster_core.model.platforms import split
from polster_core.plan.definition import Plan, Step, read
from polster_core.plan.render import visible
from polster_core.plugins.manager import Plugins
from polster_core.project import manifest
from polster_core.project.base import read_base
from polster_core.project.locate import Project
from polster_core.project.manifest import Manifest
from polster_core.scaffold import cicd, repository_files
from polster_core.types import NewFile
from polster_core.upgrade import migrations, preconditions
from polster_core.upgrade.changelog import changes_between
from polster_core.upgrade.planning import Sources, draft_upgrade, outcomes, verified
from polster_core.upgrade.report import Upgrade
from polster_core.upgrade.target import Target, target
from polster_core.upgrade.verdicts import Outcome, Verdict


def prepare(project: Project, plugins: Plugins, *, runtime: Delivery | None = None) -> Upgrade:
    """Decide what an upgrade would do, with another delivery of the runtime if one is given.

    Raises PolsterError where the project cannot be upgraded, PluginError where a plugin that has
    a part in it is missing or fails, and PlanError with all conflicts.
    """
    known = manifest.load(project.root)
    preconditions.check_plugins(known, plugins)
    settings = preconditions.read_pyproject(project.root)
    if runtime is None:
        preconditions.check_one_runtime(project.root, settings)
    before = delivery.of(dict(settings))
    after = runtime or before
    adopted = migrations.adopt(project.root, known)
    found = target(project, plugins, adopted, after)
    sources = migrations.amend(
        Sources(
            root=project.root,
            known=adopted,
            base=_with_additions(adopted, found, verified(adopted, read_base(project.root))),
            target=found.files,
            mine=dict(_delivered(project, settings, after)),
            optional=_optional(adopted, plugins, found),
        )
    )
    decided = outcomes(sources)
    made = _made(adopted, plugins, found, after)
    above = _pipelines_above(project, plugins, adopted)
    stale = [*repository_files.stale(project, above, adopted)]
    steps = [*repository_files.steps(project, stale, adopted)]
    made = replace(made, repository={**made.repository, **repository_files.digests(stale)})
    plan = replace(draft_upgrade(sources, decided, made), steps=tuple(steps))
    same = (known.polster, known.plugins, before) == (made.polster, made.plugins, after)
    if same and not visible(plan):
        plan = Plan(root=project.root)  # only notes of what is there already
    return Upgrade(
        before=known.polster,
        after=made.polster,
        runtime=(before, after),
        outcomes=[*decided, *map(_updated, steps)],
        plan=plan,
        plugins=dict(_changed(known.plugins, made.plugins)),
        changes=changes_between(known.polster, made.polster),
        notes=[
            *(f"{name} is gone, and your code imports it" for name in found.lost),
            *migrations.notes(project.root, adopted),
            *_other_pipelines(project, adopted, above, stale),
            *_other_install(project, found),
        ],
    )


def _pipelines_above(project: Project, plugins: Plugins, known: Manifest) -> list[NewFile]:
    """Generate the pipelines at the top of the repository, for a project that has some there."""
    if not known.repository:
        return []
    names = split(known.answers.get("cicd", ""))
    return cicd.generated(project, plugins, names, known.answers, in_repository=True)


def _updated(step: Step) -> Outcome:
    """Return what an upgrade says of a pipeline at the top of the repository."""
    path = PurePosixPath(step.target.replace(os.sep, "/"))
    return Outcome(path=path, owner=Owner.SHARED, verdict=Verdict.UPDATED, note=step.summary)


def _other_pipelines(
    project: Project, known: Manifest, above: Sequence[NewFile], stale: Iterable[NewFile]
) -> Iterator[str]:
    """Say which of them somebody has edited or deleted: they stay so."""
    names = ",".join(split(known.answers.get("cicd", "")))
    done = {file.path for file in stale}
    for path in repository_files.outdated(project, above):
        if path not in done:
            yield f"{path} of the repository is another: polster add-cicd {names}"


def _other_install(project: Project, found: Target) -> Iterator[str]:
    """Say that pipelines check the project with another Polster than the one that upgrades it."""
    new = found.files.get(pyproject.PATH)
    installs = pyproject.installs(read(project.root / pyproject.PATH) or b"")
    if installs and new and not pyproject.installs(new.content):
        yield f"`install` in [tool.polster] says {installs}: name this Polster, for your pipelines"


def _made(known: Manifest, plugins: Plugins, found: Target, after: Delivery) -> Manifest:
    writers = {file.origin for file in found.files.values()} | set(known.plugins)
    versions = {name: one for name, one in plugins.versions().items() if name in writers}
    return replace(
        known,
        polster=polster_core.__version__,
        plugins=versions,
        answers={**known.answers, "runtime": after},
        requirements=tuple(_added(known, found, generated=False)),
    )


def _with_additions(
    known: Manifest, found: Target, base: Mapping[PurePosixPath, bytes]
) -> dict[PurePosixPath, bytes]:
    """Return the base with the requirements that Polster has added to it since.

    Those that it would not add now are not its business: they stay what they are.
    """
    added = list(_added(known, found, generated=True))
    text, new = base.get(pyproject.PATH), found.files.get(pyproject.PATH)
    if text is not None and new and not pyproject.installs(new.content):
        text = re.sub(rb'(?m)^install = ".*"\r?\n', b"", text)  # nobody knows a better one
    if text is None:
        return dict(base)
    return {**base, pyproject.PATH: pyproject.with_requirements(text, added) if added else text}


def _added(known: Manifest, found: Target, *, generated: bool) -> Iterator[str]:
    """Yield the requirements added so far that are generated now, or the others."""
    new = found.files.get(pyproject.PATH)
    names = pyproject.names(new.content) if new else set()
    for requirement in known.requirements:
        if (pyproject.name_of(requirement) in names) is generated:
            yield requirement


def _delivered(
    project: Project, settings: Mapping[str, object], after: Delivery
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield `pyproject.toml` without the dependency that a vendored runtime takes the place of."""
    if after == "vendored" and preconditions.depends_on_runtime(settings):
        text = read(project.root / pyproject.PATH) or b""
        yield pyproject.PATH, pyproject.without(text, preconditions.REQUIREMENT)


def _optional(known: Manifest, plugins: Plugins, found: Target) -> set[PurePosixPath]:
    """Return what other people's plugins have written and would not write now.

    It may belong to one asset, which nobody asked them about.
    """
    return {
        path
        for path, entry in known.files.items()
        if path not in found.files and not plugins.is_own(entry.origin)
    }


def _changed(
    before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, old in before.items():
        new = after.get(name, "")
        if old != new:
            yield name, (old.rpartition(" ")[2], new.rpartition(" ")[2])


__all__ = ["prepare"]
