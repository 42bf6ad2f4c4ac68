"""The small values that plugins contribute: options, variables, files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def check_name(name: str) -> None:
    """Raise ValueError for a name that would not make a good flag or file name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a lower-case, dash-separated name")


@dataclass(frozen=True, kw_only=True)
class Option:
    """A value that `polster init` takes as a flag or asks for.

    A contribution's option is `--CONTRIBUTION-NAME`; one that stands alone is `--NAME`. With
    `flag=True` it is a pair of switches, `--NAME/--no-NAME`, and its answer is "true" or "false".
    In a terminal `question` (or else `help`) is asked when the flag was not given; one that is
    neither `required` nor has a `question` is not asked for. `env` names the environment variable
    of the contribution that the answer is for. A `secret` is not shown when typed, and is kept out
    of everything that git sees: it goes into `.env` only.
    """

    kind: ClassVar[str] = "option"

    name: str
    help: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    flag: bool = False
    required: bool = False
    secret: bool = False
    question: str = ""
    env: str = ""

    def __post_init__(self) -> None:
        """Refuse a name that would not make a good flag, and a default that is no choice."""
        check_name(self.name)
        if self.choices and self.default is not None and self.default not in self.choices:
            raise ValueError(f"{self.name}: the default {self.default!r} is none of its choices")
        if self.flag and self.default not in {"true", "false"}:
            raise ValueError(f"{self.name}: a flag's default is 'true' or 'false'")


@dataclass(frozen=True, kw_only=True)
class EnvVar:
    """An environment variable that a generated project reads.

    `default` is what the project does without it; a `secret` is never printed.
    """

    name: str
    help: str
    default: str = ""
    secret: bool = False
    required: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that a shell would not take."""
        if not _VARIABLE.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not an upper-case variable name")


@dataclass(frozen=True, kw_only=True)
class NewFile:
    """One file that a project should have.

    `path` is relative to the project's root. `text` is written as UTF-8 with the line ends that it
    has; `bytes` are written as they are. `note` is shown behind the path in the plan, `origin` says
    who asked for the file (a plugin's name), and `executable` matters for scripts.
    """

    kind: ClassVar[str] = "project files"

    path: PurePosixPath
    text: str | bytes
    note: str = ""
    origin: str = ""
    executable: bool = False

    @property
    def content(self) -> bytes:
        """The bytes to write."""
        return self.text if isinstance(self.text, bytes) else self.text.encode()
