"""Whether a plugin fits the hooks: questions about its functions and their answers."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any, TypeVar

from polster_core import hookspecs
from polster_core.model.names import did_you_mean
from polster_core.plugins.capture import captured
from polster_core.plugins.contents import check_contents, problems
from polster_core.plugins.misfit import MisfitError, shortened, shown
from polster_core.types import (
    AssetColumn,
    Command,
    Contribution,
    DoctorCheck,
    GitignoreLine,
    GuideSection,
    NewFile,
    Option,
    ValidationRule,
)

_LONGEST = 200
Item = (
    AssetColumn
    | Command
    | Contribution
    | DoctorCheck
    | GitignoreLine
    | GuideSection
    | NewFile
    | Option
    | ValidationRule
)
"""What hooks yield."""
_Given = TypeVar("_Given")
_Wanted = TypeVar("_Wanted")


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
        elif hook is None and mark["optionalhook"]:
            continue
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
        raise MisfitError(f"returned {shown(answer)}, not an iterable of {expected.__name__}")
    found = list(answer)
    for item in found:
        if not isinstance(item, expected):
            raise MisfitError(f"yielded {shown(item)}, not a {expected.__name__}")
        for problem in problems(item):
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
    return shortened(text, _LONGEST)


def _check_api(wanted: object) -> None:
    """Raise MisfitError if the plugin is for other versions of the hooks."""
    if wanted is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        known = SpecifierSet(wanted if isinstance(wanted, str) else "?")
    except InvalidSpecifier:
        raise MisfitError(
            f"polster_api = {shown(wanted)} is no range of versions such as '>=2,<3'"
        ) from None
    versions = (hookspecs.API, *hookspecs.COMPATIBLE)
    if not any(known.contains(version, prereleases=True) for version in versions):
        raise MisfitError(
            f"it is for version {wanted} of the hooks, and this Polster has {hookspecs.API}"
        )


def _required(function: Any) -> Iterator[str]:
    """Yield the arguments that a function cannot do without."""
    for parameter in inspect.signature(function).parameters.values():
        variadic = parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        if parameter.default is parameter.empty and not variadic:
            yield parameter.name


__all__ = [
    "Hook",
    "Item",
    "MisfitError",
    "answered",
    "check",
    "check_contents",
    "deprecated",
    "hooks",
    "in_one_line",
    "items",
]
