"""The small values that plugins contribute: options, variables, files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
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
    who asked for the file (a plugin's name), and `executable` matters for scripts. A pipeline of a
    project in a folder of its repository is `in_repository`: its path is relative to the top.
    """

    kind: ClassVar[str] = "project files"

    path: PurePosixPath
    text: str | bytes
    note: str = ""
    origin: str = ""
    executable: bool = False
    in_repository: bool = False

    @property
    def content(self) -> bytes:
        """The bytes to write."""
        return self.text if isinstance(self.text, bytes) else self.text.encode()


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a check of `polster doctor` found; `hint` says what to do about it.

    `status` is "ok", "warning", "error" or "skipped". An error makes `polster doctor` fail.
    """

    message: str
    status: str = "ok"
    hint: str = ""

    def __post_init__(self) -> None:
        """Refuse a status that nobody knows."""
        if self.status not in {"ok", "warning", "error", "skipped"}:
            raise ValueError(f"{self.status!r} is neither ok, warning, error nor skipped")


@dataclass(frozen=True, kw_only=True)
class DoctorCheck:
    """Something that `polster doctor` looks at.

    `check` is called with the project's folder, or with `None` outside of any, and yields what it
    found: nothing where the check does not apply. It changes nothing, and runs no code of the
    project.
    """

    kind: ClassVar[str] = "check"

    name: str
    summary: str
    check: Callable[[Path | None], Iterable[CheckResult]]

    def __post_init__(self) -> None:
        """Refuse a name that no line could begin with."""
        check_name(self.name)


@dataclass(frozen=True, kw_only=True)
class GitignoreLine:
    """A line of the project's `.gitignore`: `pattern` is what git ignores from now on."""

    kind: ClassVar[str] = "gitignore line"

    pattern: str

    def __post_init__(self) -> None:
        """Refuse what is no pattern, what ignores everything, and what ends an ignoring."""
        if self.pattern != self.pattern.strip() or not self.pattern.isprintable():
            raise ValueError(f"{self.pattern!r} is no line of a .gitignore")
        if self.pattern.startswith(("!", "#")) or not self.pattern.strip("*/."):
            raise ValueError(f"{self.pattern!r} ignores all, or nothing")


@dataclass(frozen=True, kw_only=True)
class GuideSection:
    """A section at the end of one of the project's guides, in Markdown.

    `guide` is a page that the project has, such as `docs/storage.md`. The section begins with
    `title` as a heading of the second level.
    """

    kind: ClassVar[str] = "guide section"

    guide: PurePosixPath
    title: str
    text: str
