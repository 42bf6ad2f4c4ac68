"""Questions for what was not given; in a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from polster_core.errors import UsageProblem


def is_possible() -> bool:
    """Whether somebody can answer: input and output are both a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def choice(question: str, choices: Mapping[str, str], *, default: str | None = None) -> str:
    """Let one of several be chosen; `choices` maps each to words that explain it."""
    import questionary

    width = max(map(len, choices))
    offered = [
        questionary.Choice(f"{name:<{width}}  {words}".rstrip(), value=name)
        for name, words in choices.items()
    ]
    return str(_ask(questionary.select(question, offered, default=default)))


def several(question: str, choices: Mapping[str, str]) -> Sequence[str]:
    """Let any number of several be chosen, none included."""
    import questionary

    width = max(map(len, choices))
    offered = [
        questionary.Choice(f"{name:<{width}}  {words}".rstrip(), value=name)
        for name, words in choices.items()
    ]
    return [str(name) for name in _ask(questionary.checkbox(question, offered))]


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
