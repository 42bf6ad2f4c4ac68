"""Whether a plugin fits the hooks: questions about its functions and their answers."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from polster_core import hookspecs
from polster_core.names import did_you_mean
from polster_core.types import Contribution, NewFile, Option, ValidationRule

_LONGEST = 200

Item = Contribution | Option | NewFile | ValidationRule
"""What hooks yield."""


class MisfitError(Exception):
    """A plugin whose hooks cannot be called, or that answers with something else."""


@dataclass(frozen=True)
class Hook:
    """A hook that plugins may implement."""

    name: str
    arguments: tuple[str, ...]
    yields: type[Item]


def hooks() -> dict[str, Hook]:
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
    known = hooks()
    for name in dir(plugin):
        mark, function, hook = marks(plugin, name), getattr(plugin, name, None), known.get(name)
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


def items(answer: object, expected: type[Item]) -> list[Item]:
    """Return a hook's answer as a list; raises MisfitError if it is not what was asked for."""
    if not isinstance(answer, Iterable):
        raise MisfitError(f"returned {_shown(answer)}, not an iterable of {expected.__name__}")
    found = list(answer)
    for item in found:
        if not isinstance(item, expected):
            raise MisfitError(f"yielded {_shown(item)}, not a {expected.__name__}")
    return found


def in_one_line(error: BaseException) -> str:
    """Say what was raised, in a line of at most 200 characters."""
    kind = "" if isinstance(error, MisfitError) else f"{type(error).__name__}: "
    text = " ".join(f"{kind}{error}".split()).removesuffix(":")
    return _shortened(text, _LONGEST)


def _required(function: Any) -> Iterator[str]:
    """Yield the arguments that a function cannot do without."""
    for parameter in inspect.signature(function).parameters.values():
        variadic = parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        if parameter.default is parameter.empty and not variadic:
            yield parameter.name


def _shown(value: object) -> str:
    return _shortened(repr(value), 40)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
