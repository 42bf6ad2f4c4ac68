"""Call the functions of something that a person has chosen; unlike hooks, they must succeed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from polster_core.errors import PluginError, PolsterError
from polster_core.plugins import validation
from polster_core.plugins.secret_answers import Secret, made_without_secrets, without
from polster_core.types import (
    Asset,
    AssetColumn,
    Contribution,
    DoctorCheck,
    NewFile,
    Pipeline,
    ProjectContext,
)

_Given = TypeVar("_Given")
_Wanted = TypeVar("_Wanted")


def call(
    plugin: str,
    contribution: AssetColumn | Contribution | DoctorCheck,
    function: Callable[[_Given], Iterable[_Wanted]],
    given: _Given,
    expected: type[_Wanted],
) -> list[_Wanted]:
    """Return what a function of a contribution yields; what it prints is not shown.

    Raises the PolsterError that the function raised, and PluginError, with the plugin's name, for
    any other failure and for an answer that is not of the `expected` type.
    """
    try:
        return validation.answered(function, given, expected)
    except PolsterError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{contribution.kind} {contribution.name}: the plugin {plugin} failed: "
            f"{validation.in_one_line(error)}",
            hint="nothing was changed; choose another one, or see  polster plugins",
        ) from error


def contributed_files(
    plugin: str,
    contribution: Contribution,
    context: ProjectContext,
    secrets: Sequence[Secret],
) -> list[NewFile]:
    """Return the files of a contribution, which is told its own secrets only, and writes none.

    Raises as `call` does, and PluginError for a file with a secret.
    """
    own = [one for one in secrets if one.owner == f"{contribution.kind} {contribution.name}"]
    known = without(context, [one for one in secrets if one not in own])
    return made_without_secrets(lambda given: files_of(plugin, contribution, given), known, own)


def files_of(plugin: str, contribution: Contribution, context: ProjectContext) -> list[NewFile]:
    """Return the files of a contribution, each with its origin; raises as `call` does."""
    found = call(plugin, contribution, contribution.files, context, NewFile)
    return [replace(file, origin=file.origin or plugin) for file in found]


def cells(
    plugin: str, column: AssetColumn, pipeline: Pipeline, assets: Iterable[Asset]
) -> list[str]:
    """Return the cells of a column, one for each asset; raises PluginError where it fails."""

    def one(asset: Asset) -> list[str]:
        return [column.value(pipeline, asset)]

    return [" ".join(call(plugin, column, one, asset, str)[0].split()) for asset in assets]
