"""Questions for what was not given; in a terminal only."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from polster_core.errors import UsageProblem

_POINTER, _BOX = len(" » "), len(" » ○ ")
"""Columns that stand before a choice."""
_NARROWEST = 20


def is_possible() -> bool:
    """Whether somebody can answer: input and output are both a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def choice(question: str, choices: Mapping[str, str], *, default: str | None = None) -> str:
    """Let one of several be chosen; `choices` maps each to words that explain it."""
    import questionary

    offered = [
        questionary.Choice(title, value=name) for name, title in _titles(choices, _POINTER).items()
    ]
    return str(_ask(questionary.select(question, offered, default=default)))


def several(question: str, choices: Mapping[str, str]) -> Sequence[str]:
    """Let at least one of several be chosen."""
    import questionary

    offered = [
        questionary.Choice(title, value=name) for name, title in _titles(choices, _BOX).items()
    ]
    while not (chosen := _ask(questionary.checkbox(question, offered))):
        # questionary's own words for it are not shown by every terminal.
        click.echo("nothing is selected: select one with the space bar, then press Enter", err=True)
    return [str(name) for name in chosen]


def _titles(choices: Mapping[str, str], indent: int) -> dict[str, str]:
    """Return a line for each choice; where the terminal is too narrow, its words go on below."""
    names = max(map(len, choices)) + len("  ")
    room = max(_NARROWEST, shutil.get_terminal_size().columns - indent - names - 1)
    margin = "\n" + " " * (indent + names)
    return {
        name: f"{name:<{names}}{margin.join(textwrap.wrap(words, room))}".rstrip()
        for name, words in choices.items()
    }


def yes(question: str, *, default: bool = True) -> bool:
    """Ask for yes or no, confirmed with Enter: who types `n` and Enter answers one question."""
    import questionary

    return bool(_ask(questionary.confirm(question, default=default, auto_enter=False)))


def text(
    question: str, *, default: str = "", problem: Callable[[str], str | None] = lambda _: None
) -> str:
    """Ask for a text; `problem` says what is wrong with one, and it is asked again."""
    import questionary

    return str(_ask(questionary.text(question, default=default, validate=_validator(problem))))


def secret(question: str) -> str:
    """Ask for a text that is not shown."""
    import questionary

    return str(_ask(questionary.password(question)))


def _validator(problem: Callable[[str], str | None]) -> Callable[[str], bool | str]:
    return lambda answer: problem(answer) or True


def _ask(question: Any) -> Any:
    """Return the answer; Ctrl-C raises KeyboardInterrupt and Ctrl-D EOFError."""
    if not is_possible():
        raise UsageProblem("there is no terminal to ask in", hint="pass the answers as options")
    return question.unsafe_ask()
