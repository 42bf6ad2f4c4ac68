"""What the connectors have in common: options, and the files of an asset that reads a source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import PurePosixPath

from polster_core.errors import UsageProblem
from polster_core.types import AssetContext, EnvVar, NewFile, Option, RuntimePart

PACKAGE = "polster_connectors"
DOCS = PurePosixPath("docs/connectors")

CONNECTION = Option(
    name="connection",
    help="What its variables start with: crm reads CRM_HOST, and so on.",
)
CURSOR = Option(
    name="cursor",
    help="What only grows, such as updated_at: then each run reads only what is new.",
)
LAG = Option(
    name="lag",
    help="How far behind its cursor a row may arrive: 15m, 2h, 1d, or a number.",
)
_PREFIX = re.compile(r"[A-Z][A-Z0-9_]*")
_LAG = re.compile(r"(\d+)([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def prefix(context: AssetContext, default: str) -> str:
    """Return what the variables of an asset's connection start with, or the default.

    Raises UsageProblem for a name that no variable can start with.
    """
    given = context.answers.get("connection", default)
    found = given.upper().replace("-", "_")
    if not _PREFIX.fullmatch(found):
        raise UsageProblem(f"--connection is a name such as crm, not {given!r}")
    return found


def variables(default: str, known: Sequence[EnvVar]) -> Callable[[AssetContext], Iterable[EnvVar]]:
    """Return `env_of` of a template: variables, named after the asset's connection."""

    def env_of(context: AssetContext) -> Iterable[EnvVar]:
        start = prefix(context, default)
        return [replace(one, name=f"{start}{one.name.removeprefix(default)}") for one in known]

    return env_of


def lag(context: AssetContext) -> int:
    """Return `--lag` in seconds, or in whatever the cursor counts. Raises UsageProblem."""
    given = context.answers.get("lag", "0")
    found = _LAG.fullmatch(given)
    if not found:
        raise UsageProblem(f"--lag is a time such as 15m, 2h or 1d, or a number; not {given!r}")
    return int(found[1]) * _SECONDS[found[2]]


def guide(name: str) -> NewFile:
    """Return a guide, as every project has it."""
    content = resources.files(PACKAGE).joinpath("templates", "docs", name).read_bytes()
    return NewFile(path=DOCS / name, text=content)


def part(connector: str) -> RuntimePart:
    """Return the source of a connector in the runtime."""
    return RuntimePart(package=f"polster_runtime.sources.{connector}", source=connector)


def files(
    context: AssetContext,
    connector: str,
    kind: str,
    arguments: Sequence[str],
    *,
    incremental: bool,
    needs: str,
    note: str,
) -> Iterator[NewFile]:
    """Yield what an asset of a connector consists of.

    Its source is `kind(*arguments)`, a class of `polster_runtime.sources.CONNECTOR`; `needs` is a
    variable that it cannot do without, for the test; `note` stands behind the core file in the
    plan.
    """
    from polster_core.rendering import render
    from polster_core.rendering.python_source import bracketed, docstring, imported

    asset = context.asset
    known = {
        "title": docstring(f"{asset.layer.capitalize()}: {asset.name}."),
        "docstring": context.docstring,
        "connector": connector,
        "kind": kind,
        "source": bracketed(f"source = {kind}(", arguments, ")"),
        "incremental": incremental,
        "needs": needs,
        "tests": docstring(f"Tests of {asset.core_file}."),
        "extract_import": imported(asset.core_module, "extract"),
    }
    core, test = (render(PACKAGE, f"templates/assets/{one}.py.jinja", known) for one in _OWN)
    yield NewFile(path=asset.core_file, text=core, note=note)
    yield NewFile(path=asset.test_file, text=test)
    yield guide(f"{connector}-guide.md")


_OWN = ("core", "test")
