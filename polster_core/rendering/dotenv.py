"""Values in files of settings, as python-dotenv and `source` read them."""

from __future__ import annotations

import re

_BARE = re.compile(r"[\w./:@%+,=-]*", re.ASCII)
_SINGLE = re.compile(r"(?:[^'\\\r]|\\(?![\\'\r]|\Z))*")
_ESCAPES = {"\\": r"\\", '"': r"\"", "\r": r"\r", "$": "${DOLLAR:-$}"}
_LAST_BACKSLASH = r"${BACKSLASH:-\\}"
"""Before 1.2 python-dotenv took an escaped backslash before a quote for an escaped quote."""

_VALUE = re.compile(
    r"""'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<bare>[^\r\n]*)""", re.DOTALL
)
_COMMENT = re.compile(r"\s+#.*")
_DEFAULT = re.compile(r"\$\{[^\}:]*:-([^\}]*)\}")
_CONTROL = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def quoted(value: str) -> str:
    """Write a value so that it is read back exactly, quoted where that is needed.

    python-dotenv reads every value back. A shell's `source` does, too, unless the value has a
    backquote together with an apostrophe, or a carriage return. The values are never named: `$` is
    the default of a variable that nobody sets, since nothing else keeps python-dotenv from
    replacing `${NAME}`, whatever the quotes.
    """
    if _BARE.fullmatch(value):
        return value
    if _SINGLE.fullmatch(value) and "${" not in value:
        return f"'{value}'"
    last = _LAST_BACKSLASH if value.endswith("\\") else ""
    text = value[:-1] if last else value
    return f'"{"".join(_ESCAPES.get(letter, letter) for letter in text)}{last}"'


def unquoted(text: str) -> str:
    """Return the value that a text starts with, as `quoted` or a person wrote it.

    Variables in it stay as they are written, but for the defaults that `quoted` uses.
    """
    found = _VALUE.match(text)
    if found is None:
        raise AssertionError("unreachable: a bare value may be empty")
    if found["bare"] is not None:
        return _COMMENT.sub("", found["bare"]).strip()
    if found["single"] is not None:
        return re.sub(r"\\([\\'])", r"\1", found["single"])
    plain = re.sub(r"\\([\\'\"abfnrtv])", lambda one: _CONTROL.get(one[1], one[1]), found["double"])
    return _DEFAULT.sub(r"\1", plain)
