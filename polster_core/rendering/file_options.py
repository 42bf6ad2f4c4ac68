"""Options of assets that read files: how CSV is written, and what their reader is called with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from polster_core.errors import UsageProblem
from polster_core.rendering.python_source import quoted
from polster_core.types import Option

HEADER_ROW = Option(
    name="header-row", help="The row of the header; found if not given, 0 if there is none."
)
CSV = (
    Option(name="separator", help="What is between fields: ; or tab; found out if not given."),
    Option(name="encoding", help="The encoding, such as cp1252; found out if it is not given."),
    Option(name="quote", help='What fields may be enclosed in, or none.  [default: "]'),
    HEADER_ROW,
    Option(name="null", help="Texts that stand for nothing, such as NA,-."),
    Option(
        name="ragged",
        help="What becomes of rows of another width than the header: an error, or kept.",
        choices=("error", "keep"),
        default="error",
    ),
    Option(
        name="types",
        help="Columns that are not to be text: price=Decimal(10,2),sold=Date. What does not fit is "
        "an error.",
    ),
    Option(name="decimal", help="The decimal sign in numbers of --types: . or a comma."),
)
"""How CSV is written, for the templates of local files and of servers."""
TYPES = ("Boolean", "Date", "Datetime", "Decimal", "Float64", "Int64", "String", "Time")
_TYPE = re.compile(r"\s*([^=]+?)\s*=\s*(\w+)\s*(\(\s*\d+\s*,\s*\d+\s*\))?\s*")
_MAY_BE_EMPTY = frozenset({"quote", "header_row"})
_NAMES = {"\\t": "\t", "tab": "\t", "none": "", "space": " "}
"""What stands for a character that is hard to type."""


def reader_arguments(answers: Mapping[str, str]) -> dict[str, Any]:
    """Return what a reader of files is called with. Raises UsageProblem."""
    found: dict[str, Any] = {}
    for name, text in answers.items():
        if name == "header-row":
            found["header_row"] = _number(text)
        elif name in {"separator", "quote"}:
            found[name] = _character(name, text)
        elif name == "null":
            found[name] = text.split(",") if "," in text else text
        elif name == "types":
            found[name] = _types(text)
        elif (name, text) != ("ragged", "error"):
            found[name] = text
    if found.get("decimal") and not found.get("types"):
        raise UsageProblem(
            "--decimal is the sign in numbers of --types", hint="without it, all columns are text"
        )
    if found.get("decimal", "") not in {"", ".", ","}:
        raise UsageProblem("--decimal is . or a comma")
    return {
        name: value for name, value in found.items() if value or name in {"quote", "header_row"}
    }


def literal(value: Any) -> str:
    """Return an argument as Python."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(name)}: {literal(one)}' for name, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(quoted, value))}]"
    return str(value) if isinstance(value, int) else quoted(value)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise UsageProblem("--header-row is a number", hint="1 for the first, 0 if there is none")
    return int(text)


def _character(name: str, text: str) -> str:
    found = _NAMES.get(text, text)
    if len(found) > 1 or (not found and name == "separator"):
        raise UsageProblem(f"--{name} is one character, not {text!r}", hint="tab is one, too")
    return found


def _types(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in re.split(r",(?![^()]*\))", text) if text else ():
        match = _TYPE.fullmatch(one)
        if not match or match[2] not in TYPES or bool(match[3]) != (match[2] == "Decimal"):
            raise UsageProblem(
                f"--types names columns and their types, not {one!r}",
                hint=f"price=Decimal(10,2),sold=Date; there are {', '.join(TYPES)}",
            )
        found[match[1]] = match[2] + re.sub(r"\s", "", match[3] or "").replace(",", ", ")
    return found
