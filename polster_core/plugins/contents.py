"""Whether what a plugin yields can be used: its types, and what a project would be written with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from polster_core import delivery
from polster_core.errors import PluginError
from polster_core.plan import conflicts
from polster_core.plugins.misfit import MisfitError, shown
from polster_core.plugins.origin import PROJECT
from polster_core.types import (
    AssetColumn,
    AssetTemplate,
    Contribution,
    DoctorCheck,
    EnvVar,
    Executor,
    GuideSection,
    NewFile,
    Option,
    RuntimePart,
    StorageBackend,
    ValidationRule,
)

_RESERVED = frozenset(
    """AUTOMATION_ENABLED DAGSTER_HOME DAGSTER_POSTGRES_URL DATA_DIR ENV EXECUTOR HOME LOG_FORMAT
    LOG_LEVEL PATH PROJECT_ROOT PYTHONHOME PYTHONPATH STORAGE_BACKEND TEMP TIMEZONE TMPDIR USER
    VIRTUAL_ENV""".split()  # noqa: SIM905 - they read best as they are typed
)
"""Variables that a system, Python or every project reads already."""
_RESERVED_PREFIXES = ("POLSTER_", "_POLSTER_", "DYLD_", "LD_")


def check_contents(item: object, distribution: str, module: str) -> None:
    """Raise MisfitError if a project could not be written with what is in an item.

    Looks closer than `items` does, and takes longer. `distribution` and `module` are those of the
    plugin.
    """
    if isinstance(item, Contribution):
        for requirement in item.requirements:
            _check_requirement(item, requirement)
        for variable in item.env:
            if variable.name in _RESERVED or variable.name.startswith(_RESERVED_PREFIXES):
                raise MisfitError(f"{_named(item)}: the variable {variable.name} is not its own")
        for part in item.runtime:
            if distribution == PROJECT:
                raise MisfitError(f"{_named(item)}: a file of a project has no runtime part")
            _check_part(item, part, distribution, module)


def _check_requirement(item: Contribution, requirement: str) -> None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(requirement)
    except InvalidRequirement:
        raise MisfitError(
            f"{_named(item)}: the requirement {shown(requirement)} is not one that pip takes"
        ) from None


def _check_part(item: Contribution, part: RuntimePart, distribution: str, module: str) -> None:
    """Raise MisfitError unless projects can get a part in both ways: as a copy, and installed."""
    top = part.package.partition(".")[0]
    own = top != delivery.RUNTIME
    if own and not _is_in(top, distribution, module):
        raise MisfitError(f"{_named(item)}: the package {top} is not in {distribution}")
    try:
        delivery.package_folder(part.package)
    except PluginError as error:
        raise MisfitError(f"{_named(item)}: {error}") from error
    if part.requirement:
        _check_requirement(item, part.requirement)
    elif own:
        raise MisfitError(
            f"{_named(item)}: the package {top} has no requirement, which projects need that do "
            "not hold a copy of it"
        )


def _is_in(top: str, distribution: str, module: str) -> bool:
    """Whether a distribution has a top-level package, as far as that can be told.

    Of one that is installed in place only the plugin's module is known.
    """
    from importlib.metadata import PackageNotFoundError, files

    try:
        listed = {path.parts[0].removesuffix(".py") for path in files(distribution) or ()}
    except PackageNotFoundError:
        return True
    return top in listed or module.partition(".")[0] not in listed


def problems(item: object) -> Iterator[str]:
    """Yield what is wrong with the types of what a plugin made; nobody checks them earlier."""
    if isinstance(item, NewFile):
        yield from _problems_of_file(item)
    elif isinstance(item, Contribution):
        yield from _not_a_tuple(item, "requirements", str)
        yield from _not_a_tuple(item, "options", Option)
        yield from _not_a_tuple(item, "env", EnvVar)
        yield from _not_a_tuple(item, "runtime", RuntimePart)
        if isinstance(item, AssetTemplate):
            yield from _not_a_tuple(item, "layers", str)
        if isinstance(item, StorageBackend | Executor):
            yield from _without_part(item)
        if not callable(item.files):
            yield f"{_named(item)}: files is {shown(item.files)}, not a function"
    elif isinstance(item, ValidationRule | DoctorCheck) and not callable(item.check):
        yield f"{_named(item)}: check is {shown(item.check)}, not a function"
    elif isinstance(item, AssetColumn) and not callable(item.value):
        yield f"{_named(item)}: value is {shown(item.value)}, not a function"
    elif isinstance(item, GuideSection):
        yield from _problems_of_section(item)
    if not isinstance(item, NewFile | Option) and not isinstance(getattr(item, "summary", ""), str):
        yield f"{item}: the summary is no text"


def _without_part(item: StorageBackend | Executor) -> Iterator[str]:
    parts = item.runtime if isinstance(item.runtime, tuple) else ()
    if item.name not in {getattr(part, item.kind, item.name) for part in parts}:
        yield f"{_named(item)}: no part of its runtime says {item.kind}={item.name!r}"


def _problems_of_file(file: NewFile) -> Iterator[str]:
    if not isinstance(file.path, PurePosixPath):
        yield f"yielded a file whose path is {shown(file.path)}, not a PurePosixPath"
    elif problem := conflicts.outside(file.path) or conflicts.reserved(file.path):
        yield problem
    if not isinstance(file.text, str | bytes):
        yield f"{file.path}: its text is {shown(file.text)}, neither str nor bytes"


def _problems_of_section(section: GuideSection) -> Iterator[str]:
    for name in ("title", "text"):
        if not isinstance(getattr(section, name), str):
            yield f"the {name} of a guide section is {shown(getattr(section, name))}, not a text"
    if not isinstance(section.guide, PurePosixPath):
        yield f"the guide of a section is {shown(section.guide)}, not a PurePosixPath"


def _not_a_tuple(item: Contribution, field: str, of: type) -> Iterator[str]:
    found = getattr(item, field)
    if not isinstance(found, tuple) or not all(isinstance(one, of) for one in found):
        yield f"{_named(item)}: {field} is {shown(found)}, not a tuple of {of.__name__}"


def _named(item: AssetColumn | Contribution | DoctorCheck | ValidationRule) -> str:
    return f"{item.kind} {item.name}"
