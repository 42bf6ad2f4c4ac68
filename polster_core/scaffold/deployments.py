"""Add what a deployment needs to a project."""

from __future__ import annotations

from collections.abc import Mapping

from polster_core.errors import PolsterError
from polster_core.model.platforms import DEPLOYED, join
from polster_core.plan.definition import Plan, read
from polster_core.plugins.manager import Plugins
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.scaffold import storage
from polster_core.types import Deployment


def plan(project: Project, plugins: Plugins, name: str, given: Mapping[str, str]) -> Plan:
    """Plan a deployment's files, its requirements, its variables, and the note of it.

    `given` are answers to its options, by the names of the flags. Raises PolsterError where a file
    of the project conflicts, and PluginError where the deployment fails or there is none of
    that name.
    """
    offer, origin = plugins.choose(Deployment, name), plugins.owner(Deployment, name)
    known = manifest.find(project.root)
    before = known.answers.get(DEPLOYED, "") if known else ""
    answers = {**given, DEPLOYED: join([before, name])}
    taken = [
        str(file.path)
        for file in storage.files(project, offer, origin, answers)
        if read(project.root / file.path) not in {None, file.content}
    ]
    if taken:
        raise PolsterError(
            f"{' and '.join(taken)} {'is' if len(taken) == 1 else 'are'} there already, with other "
            "contents; nothing was changed",
            hint="rename it, add the deployment, and merge the two",
        )
    return storage.plan(project, plugins, name, answers, kind=Deployment)


__all__ = ["plan"]
