"""The variables that a template needs, in `.env.example` and `.env`."""

from __future__ import annotations

import codecs
import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from polster_core.errors import PolsterError
from polster_core.plan.definition import is_private, read
from polster_core.project.locate import Project
from polster_core.rendering import dotenv
from polster_core.types import EnvVar, NewFile

_FILES = (PurePosixPath(".env.example"), PurePosixPath(".env"))
_NAME = re.compile(
    rb"^[ \t]*(?:#[ \t]*)?(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=", re.MULTILINE
)
_LINE = re.compile(
    r"^[ \t]*(?P<off>#)?[ \t]*(?:export[ \t]+)?"
    r"(?P<name>[A-Z][A-Z0-9_]*)[ \t]*=[ \t]*",
    re.MULTILINE | re.ASCII,
)
_WIDTH = 100
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def added(
    project: Project, variables: Iterable[EnvVar], values: Mapping[str, str] | None = None
) -> Iterator[NewFile]:
    """Yield the files that lack variables, with a line for each at their end.

    `values` are what was answered, for `.env`; answers that are no secret are defaults as well.
    What a file has already stays, commented out or not. There is no `.env` where nobody made one.
    Raises PolsterError for a file in UTF-16.
    """
    given = values or {}
    wanted = [
        one if one.secret or not given.get(one.name) else replace(one, default=given[one.name])
        for one in variables
    ]
    for path in _FILES:
        before = read(project.root / path)
        if before is None:
            continue
        if before.startswith(_UTF16):
            reason = f"{path} is UTF-16, and lines cannot be added to it"
            raise PolsterError(reason, hint="save it as UTF-8")
        there = {name.decode() for name in _NAME.findall(_plain(before))}
        lacking = [variable for variable in wanted if variable.name not in there]
        if lacking:
            secrets = given if is_private(path) else {}
            yield NewFile(path=path, text=before + _block(before, lacking, secrets))


def unset(project: Project, variables: Iterable[EnvVar]) -> list[str]:
    """Return the names of those that somebody has to fill in, and nobody has."""
    given = in_effect(project)
    needed = [one.name for one in variables if one.required or one.secret]
    return [name for name in needed if not given.get(name)]


def in_effect(project: Project) -> dict[str, str]:
    """Return what `.env` says, and over it the `.env.prod` of the environment that ENV names."""
    found = values(project, ".env")
    name = os.environ.get("ENV") or found.get("ENV", "")
    return {**found, **(values(project, f".env.{name}") if name.isidentifier() else {})}


def values(project: Project, path: str) -> dict[str, str]:
    """Return the variables that a file of settings names; those commented out are empty."""
    text = _plain(read(project.root / path) or b"").decode(errors="replace")
    return {
        found["name"]: "" if found["off"] else dotenv.unquoted(text[found.end() :])
        for found in _LINE.finditer(text)
    }


def _plain(data: bytes) -> bytes:
    """Return a file's text as UTF-8 without a mark, whatever an editor of Windows made of it."""
    if data.startswith(_UTF16):
        return data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def _block(before: bytes, variables: Iterable[EnvVar], secrets: Mapping[str, str]) -> bytes:
    newline = "\r\n" if b"\r\n" in before else "\n"
    start = "" if not before or before.endswith(b"\n") else newline
    lines = [line for variable in variables for line in ("", *_lines(variable, secrets))]
    return (start + newline.join(lines) + newline).encode()


def _lines(variable: EnvVar, secrets: Mapping[str, str]) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(variable.help, _WIDTH - 2))
    secret = secrets.get(variable.name, "")
    yield f"{variable.name}={dotenv.quoted(secret if variable.secret else variable.default)}"
