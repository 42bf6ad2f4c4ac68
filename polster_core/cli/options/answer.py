"""How an option that a plugin adds gets its answer: typed, asked for, or the default."""

from __future__ import annotations

from collections.abc import Callable

from polster_core.cli import prompts
from polster_core.errors import UsageProblem
from polster_core.types import Option

Typed = str | bool | None
"""What click hands over for a flag; `None` where it was not given."""


def settle(option: Option, flag: str, typed: Typed, *, asks: bool) -> str | None:
    """Return the answer of an option; `None` where there is none.

    `flag` is its name on the command line; `asks` says whether there is somebody to ask. Raises
    UsageProblem for an answer that is none of the choices.
    """
    if isinstance(typed, bool):
        return "true" if typed else "false"
    if typed is not None:
        if option.choices and typed not in option.choices:
            raise UsageProblem(f"--{flag} is none of {', '.join(option.choices)}: {typed}")
        return typed
    if not asks or not (option.required or option.question):
        return option.default
    return _asked(option) or option.default


def _asked(option: Option) -> str:
    question = option.question or option.help
    if option.flag:
        return "true" if prompts.yes(question, default=option.default == "true") else "false"
    if option.choices:
        return prompts.choice(question, dict.fromkeys(option.choices, ""), default=option.default)
    if option.secret:
        return prompts.secret(question)
    return prompts.text(question, default=option.default or "", problem=_missing(option))


def _missing(option: Option) -> Callable[[str], str | None]:
    return lambda answer: None if answer or not option.required else "it is needed"
