"""What validation rules are, and what they find."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import ClassVar

from polster_core.model.facts import Place
from polster_core.model.pipeline import Pipeline

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Severity(StrEnum):
    """How bad a problem is: an error makes `polster validate` fail, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Fix:
    """A safe fix of a problem: what it does in words, and an edit of one file.

    `edit` takes the bytes of the file (empty where there is none) and returns the new ones. It may
    be given a file that was fixed already, and then returns it as it is. It may change the
    statement at the problem, imports, and `__all__`; `lines` are the first and the last line that
    it may change, where those are others. A fix that changes more, or that leaves a file that
    cannot be parsed, is not applied.
    """

    path: PurePosixPath
    summary: str
    edit: Callable[[bytes], bytes]
    lines: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, where, and what to do about it.

    `path` is relative to the project, `line` and `column` count from 1. `message` says what is
    wrong in one clause, `hint` what to do.
    """

    path: PurePosixPath
    message: str
    line: int = 1
    column: int = 1
    severity: Severity = Severity.ERROR
    hint: str = ""
    fix: Fix | None = None

    @classmethod
    def at(
        cls,
        place: Place,
        message: str,
        *,
        severity: Severity = Severity.ERROR,
        hint: str = "",
        fix: Fix | None = None,
    ) -> Problem:
        """Return a problem at a place that the pipeline knows."""
        return cls(
            path=place.path,
            line=place.line,
            column=place.column,
            message=message,
            severity=severity,
            hint=hint,
            fix=fix,
        )


@dataclass(frozen=True, kw_only=True)
class ValidationRule:
    """A rule of `polster validate`; `check` yields a problem for each breach of it.

    `name` is what `ignore` in `[tool.polster.validate]` takes, `summary` is what the rule asks for.
    """

    kind: ClassVar[str] = "rule"

    name: str
    summary: str
    check: Callable[[Pipeline], Iterable[Problem]]

    def __post_init__(self) -> None:
        """Refuse a name that reports could not show."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a lower-case, dash-separated name")
