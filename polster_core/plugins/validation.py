"""Whether a plugin fits the hooks: questions about its functions and their answers."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from types import FunctionType
from typing import Any, TypeVar

from polster_core import delivery, hookspecs
from polster_core.errors import PluginError
from polster_core.model.names import did_you_mean
from polster_core.plan import conflicts
from polster_core.plugins.capture import captured
from polster_core.plugins.origin import PROJECT
from polster_core.types import (
    AssetTemplate,
    Command,
    Contribution,
    EnvVar,
    NewFile,
    Option,
    RuntimePart,
    StorageBackend,
    ValidationRule,
)

_LONGEST = 200
_RESERVED = frozenset(
    """AUTOMATION_ENABLED DAGSTER_HOME DAGSTER_POSTGRES_URL DATA_DIR ENV EXECUTOR HOME LOG_FORMAT
    LOG_LEVEL PATH PROJECT_ROOT PYTHONHOME PYTHONPATH STORAGE_BACKEND TEMP TIMEZONE TMPDIR USER
    VIRTUAL_ENV""".split()  # noqa: SIM905 - they read best as they are typed
)
"""Variables that a system, Python or every project reads already."""
_RESERVED_PREFIXES = ("POLSTER_", "_POLSTER_", "DYLD_", "LD_")

Item = Command | Contribution | NewFile | Option | ValidationRule
"""What hooks yield."""
_Given = TypeVar("_Given")
_Wanted = TypeVar("_Wanted")


class MisfitError(Exception):
    """A plugin whose hooks cannot be called, or that answers with something else."""


@dataclass(frozen=True)
class Hook:
    """A hook that plugins may implement."""

    name: str
    arguments: tuple[str, ...]
    yields: type[Item]


@cache
def hooks() -> Mapping[str, Hook]:
    """Read the hooks off their specifications."""
    found = {}
    for name, function in vars(hookspecs).items():
        if isinstance(function, FunctionType) and name.startswith("polster_"):
            yields = typing.get_args(typing.get_type_hints(function)["return"])[0]
            found[name] = Hook(name, tuple(inspect.signature(function).parameters), yields)
    return found


def check(plugin: object, marks: Callable[[Any, str], Mapping[str, Any] | None]) -> None:
    """Raise MisfitError if one of the plugin's hooks cannot be called.

    `marks` returns what `@hookimpl` noted about an attribute.
    """
    _check_api(getattr(plugin, "polster_api", None))
    known = hooks()
    for name in dir(plugin):
        mark, function = marks(plugin, name), getattr(plugin, name, None)
        name = mark["specname"] or name if mark else name  # noqa: PLW2901 - the hook's name
        hook = known.get(name)
        if mark is None:
            if hook and isinstance(function, FunctionType):
                raise MisfitError(f"{name} is not marked with @hookimpl")
        elif hook is None:
            raise MisfitError(f"there is no hook {name}{did_you_mean(name, known)}")
        elif mark["wrapper"] or mark["hookwrapper"]:
            raise MisfitError(f"{name} wraps other plugins, which is not supported")
        elif extra := sorted(set(_required(function)) - set(hook.arguments)):
            takes = ", ".join(hook.arguments)
            raise MisfitError(f"{name}({takes}) is given no {', '.join(extra)}")


def items(answer: object, expected: type[_Wanted]) -> list[_Wanted]:
    """Return a hook's answer as a list; raises MisfitError if it is not what was asked for."""
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        raise MisfitError(f"returned {_shown(answer)}, not an iterable of {expected.__name__}")
    found = list(answer)
    for item in found:
        if not isinstance(item, expected):
            raise MisfitError(f"yielded {_shown(item)}, not a {expected.__name__}")
        for problem in _problems(item):
            raise MisfitError(problem)
    return found


def answered(
    function: Callable[[_Given], object], given: _Given, expected: type[_Wanted]
) -> list[_Wanted]:
    """Call a function of a plugin, keep what it prints from the terminal, and return its answer.

    Raises MisfitError if that is not what was asked for, and whatever the function raises.
    """
    with captured():
        return items(function(given), expected)


def check_contents(item: Item, distribution: str, module: str) -> None:
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


def deprecated(
    implemented: Mapping[str, Iterable[str]],
    known: Mapping[str, hookspecs.Deprecation] = hookspecs.DEPRECATED,
) -> Iterator[str]:
    """Say which of the hooks that a plugin implements, with these arguments, will go away."""
    for hook, arguments in implemented.items():
        for what in (hook, *(f"{hook}({argument})" for argument in arguments)):
            if found := known.get(what):
                yield (
                    f"{what} goes away with version {found.until} of the hooks "
                    f"(this is {hookspecs.API}): {found.instead}"
                )


def in_one_line(error: BaseException) -> str:
    """Say what was raised, in a line of at most 200 characters."""
    kind = "" if isinstance(error, MisfitError) else f"{type(error).__name__}: "
    text = " ".join(f"{kind}{error}".split()).removesuffix(":")
    return _shortened(text, _LONGEST)


def _check_api(wanted: object) -> None:
    """Raise MisfitError if the plugin is for other versions of the hooks."""
    if wanted is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        known = SpecifierSet(wanted if isinstance(wanted, str) else "?")
    except InvalidSpecifier:
        raise MisfitError(
            f"polster_api = {_shown(wanted)} is no range of versions such as '>=1,<2'"
        ) from None
    if not known.contains(hookspecs.API, prereleases=True):
        raise MisfitError(
            f"it is for version {wanted} of the hooks, and this Polster has {hookspecs.API}"
        )


def _check_requirement(item: Contribution, requirement: str) -> None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(requirement)
    except InvalidRequirement:
        raise MisfitError(
            f"{_named(item)}: the requirement {_shown(requirement)} is not one that pip takes"
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


def _problems(item: object) -> Iterator[str]:
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
        if isinstance(item, StorageBackend):
            yield from _without_store(item)
        if not callable(item.files):
            yield f"{_named(item)}: files is {_shown(item.files)}, not a function"
    elif isinstance(item, ValidationRule) and not callable(item.check):
        yield f"{_named(item)}: check is {_shown(item.check)}, not a function"
    if not isinstance(item, NewFile | Option) and not isinstance(getattr(item, "summary", ""), str):
        yield f"{item}: the summary is no text"


def _without_store(item: StorageBackend) -> Iterator[str]:
    parts = item.runtime if isinstance(item.runtime, tuple) else ()
    if item.name not in {getattr(part, "storage", item.name) for part in parts}:
        yield f"{_named(item)}: no part of its runtime says storage={item.name!r}"


def _problems_of_file(file: NewFile) -> Iterator[str]:
    if not isinstance(file.path, PurePosixPath):
        yield f"yielded a file whose path is {_shown(file.path)}, not a PurePosixPath"
    elif problem := conflicts.outside(file.path) or conflicts.reserved(file.path):
        yield problem
    if not isinstance(file.text, str | bytes):
        yield f"{file.path}: its text is {_shown(file.text)}, neither str nor bytes"


def _not_a_tuple(item: Contribution, field: str, of: type) -> Iterator[str]:
    found = getattr(item, field)
    if not isinstance(found, tuple) or not all(isinstance(one, of) for one in found):
        yield f"{_named(item)}: {field} is {_shown(found)}, not a tuple of {of.__name__}"


def _named(item: Contribution | ValidationRule) -> str:
    return f"{item.kind} {item.name}"


def _required(function: Any) -> Iterator[str]:
    """Yield the arguments that a function cannot do without."""
    for parameter in inspect.signature(function).parameters.values():
        variadic = parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        if parameter.default is parameter.empty and not variadic:
            yield parameter.name


def _shown(value: object) -> str:
    return _shortened(re.sub(r"\s+", " ", repr(value)), 40)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
