"""What the templates of a project may use."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polster_core
from polster_core import delivery
from polster_core.environment import own_install
from polster_core.model import layout
from polster_core.model.platforms import DAILY, DATA_BRANCH, IMAGE
from polster_core.model.requirements import merge
from polster_core.types import ProjectContext

# What every generated project and its runtime import; tested with the lower bounds and the newest
# below the upper.
REQUIREMENTS = (
    "apprise>=1.9,<2",
    "dagster>=1.13,<1.14",
    "dagster-webserver>=1.13,<1.14",
    "dataframely>=3.1,<4",
    "filelock>=3.15,<4",
    "fsspec>=2026.1",
    "polars>=2.1,<3",
    "python-dotenv>=1.0,<2",
    "rich>=14,<16",
    "sqlalchemy>=2,<3",
)

_ALERTS = "ALERT_URLS"
"""A setting of every project that holds credentials."""


def variables(context: ProjectContext) -> dict[str, object]:
    """Return the variables of every template.

    `name` is the project's name as typed and `distribution` as packages are named; `storage` and
    `cicd` are what was chosen; `requirements` are PEP 508 strings, those of every project and
    those that plugins add; `env` are the variables that plugins add, and `values` what `.env` shall
    hold for each, secrets included; `secrets` are the names of those that are secret; `schedule` is
    the cron line of a pipeline and `data_branch` the branch of its data; `samples` says whether the
    samples are written; `answers` has every answer; `polster_version` is ours, and `install` what
    installs the same Polster elsewhere ("" where that is not known). `vendored` says whether the
    project holds its runtime as code; `package` is the one that its code lies in ("" for none),
    `packages` are the folders of its packages, and `entry_points` those of the runtime's parts:
    group -> name -> package. `folder` is where in its repository the project is ("" at the top),
    `here` that with a slash behind it, and `slug` the name of its pipeline in the repository.
    `image` says whether a pipeline builds the image of the project's deployment, and pushes it.
    `key_prefix` is what the keys of its assets begin with in Dagster ("" for nothing).
    """
    vendored = context.delivery == "vendored"
    runtime = [f"src/{delivery.RUNTIME}", *delivery.packages(context.runtime)]
    package = layout.current().package
    own = [f"src/{package}"] if package else ["src/core", "src/orchestration"]
    return {
        "name": context.name,
        "distribution": distribution(context.name),
        "storage": context.storage,
        "cicd": context.cicd,
        "requirements": merged(_required(context)),
        "entry_points": delivery.entry_points(context.runtime) if vendored else {},
        "packages": [*own, *(runtime if vendored else [])],
        "package": package,
        "key_prefix": context.answers.get("key-prefix", ""),
        "vendored": vendored,
        "env": context.env,
        "values": context.values,
        "secrets": sorted({_ALERTS, *(one.name for one in context.env if one.secret)}),
        "schedule": context.answers.get("schedule", DAILY),
        "folder": context.folder,
        "here": f"{context.folder}/" if context.folder else "",
        "slug": slug(context),
        "data_branch": context.answers.get("data-branch", DATA_BRANCH),
        "image": bool(context.answers.get(IMAGE)),
        "samples": context.answers.get("sample-assets") == "true",
        "answers": context.answers,
        "polster_version": polster_core.__version__,
        "install": own_install.pinned(),
    }


def _required(context: ProjectContext) -> Iterable[str]:
    """Yield what a project depends on, in its own code and in that of its runtime."""
    yield from REQUIREMENTS
    yield from context.requirements
    if context.delivery == "package":
        yield delivery.requirement()
        yield from (part.requirement for part in context.runtime if part.requirement)


def shared_templates(context: ProjectContext) -> tuple[str, ...]:
    """Return the folders of Polster's templates that the pipelines of all platforms have."""
    return ("templates/cicd", *(["templates/cicd_image"] if context.answers.get(IMAGE) else []))


def slug(context: ProjectContext) -> str:
    """Return the name of a project's pipeline among those of its repository."""
    return f"polster-{distribution(context.name)}" if context.folder else "polster"


def distribution(name: str) -> str:
    """Normalize a project's name as package indexes do (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def merged(requirements: Iterable[str]) -> tuple[str, ...]:
    """Unite the requirements of each package; raises PluginError where no version fits."""
    return merge(("a plugin", requirement) for requirement in requirements)
