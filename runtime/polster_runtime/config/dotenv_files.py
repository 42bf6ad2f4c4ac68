"""The project's files of settings: `.env`, and over it `.env.prod` where ENV is prod."""

import codecs
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from io import StringIO
from pathlib import Path

from polster_runtime.config.root import project_root
from polster_runtime.errors import SettingsError

_ENV = re.compile(r"[\w-]+")
_NO_ENVIRONMENTS = {"example", "sample", "template", "dist"}
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""How a file is encoded that begins with these bytes, as editors of Windows write it."""

Pair = tuple[str, str | None]


def files(root: Path | None = None) -> list[Path]:
    """The files that are read, the one that wins last. Raises SettingsError."""
    root = root or project_root()
    found = [root / ".env"]
    name = os.environ.get("ENV") or dict(_pairs(found[0])).get("ENV") or ""
    if _ENV.fullmatch(name) and name not in _NO_ENVIRONMENTS:
        found.append(root / f".env.{name}")
    return [file for file in found if file.is_file()]


def values(*, only_first: bool = False, root: Path | None = None) -> Mapping[str, str]:
    """What the files (or .env alone) say, `${NAME}` filled in: there, too, the shell wins.

    They are those of this project, or of the one in another folder. Raises SettingsError for a
    file that cannot be read as a whole.
    """
    from dotenv.main import resolve_variables

    pairs = [pair for file in files(root)[: 1 if only_first else None] for pair in _pairs(file)]
    found = resolve_variables(pairs, override=False)
    return {name: value for name, value in found.items() if value is not None}


@cache
def _pairs(file: Path) -> tuple[Pair, ...]:
    return tuple(_parsed(file)) if file.is_file() else ()


def _parsed(file: Path) -> Iterator[Pair]:
    from dotenv.parser import parse_stream

    for one in parse_stream(StringIO(_text(file))):
        if one.error:
            raise SettingsError(
                f"{file.name}: line {one.original.line} is not NAME=value; a quote that is opened "
                "must be closed, and a value with a quote in it be in quotes of the other kind"
            )
        if one.key is not None:
            yield one.key, one.value


def _text(file: Path) -> str:
    """The text of a file. One that is not UTF-8 is not guessed at: it may hold passwords."""
    data = file.read_bytes()
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file.name}: line {line} is not UTF-8; save it as UTF-8") from None
    if "\0" in text:
        raise SettingsError(f"{file.name}: is not UTF-8; save it as UTF-8")
    return text
