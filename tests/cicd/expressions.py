"""Expressions of GitHub Actions and of Azure Pipelines: as much of both as the pipelines use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Functions = Mapping[str, Callable[..., Any]]
_TOKEN = re.compile(
    r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<number>\d+)|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<sign>\|\||&&|==|!=|[()\[\],.!]))"
)
_WORDS = {"true": True, "false": False, "null": None}
_LEVELS = (("||",), ("&&",), ("==", "!="))


def evaluate(text: str, context: Mapping[str, Any], functions: Functions) -> Any:
    """Return what an expression is worth."""
    reader = _Reader(text, context, {**_FUNCTIONS, **functions})
    value = reader.binary(0)
    assert not reader.tokens, f"{text}: {reader.tokens} is left"
    return value


def substitute(value: Any, context: Mapping[str, Any], functions: Functions | None = None) -> Any:
    """Return a value with every `${{ }}` in it replaced."""
    known = functions or {}
    if isinstance(value, str):
        parts = re.findall(r"\$\{\{(.*?)\}\}", value, re.DOTALL)
        if len(parts) == 1 and value.strip() == f"${{{{{parts[0]}}}}}":
            return evaluate(parts[0], context, known)
        return re.sub(
            r"\$\{\{(.*?)\}\}",
            lambda found: as_text(evaluate(found[1], context, known)),
            value,
            flags=re.DOTALL,
        )
    if isinstance(value, dict):
        return {key: substitute(one, context, known) for key, one in value.items()}
    if isinstance(value, list):
        return [substitute(one, context, known) for one in value]
    return value


def as_text(value: Any) -> str:
    """Return a value as both platforms write it into a text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def look_up(values: Any, key: Any) -> Any:
    """Return an entry whose name may be written in any case; `None` if there is none."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            if str(name).lower() == str(key).lower():
                return value
    return None


def same(left: Any, right: Any) -> bool:
    """Compare as both platforms do: texts in any case, nothing is the empty text."""
    return as_text(left).lower() == as_text(right).lower()


def _contains(found: Any, item: Any) -> bool:
    if isinstance(found, list):
        return any(same(one, item) for one in found)
    return as_text(item).lower() in as_text(found).lower()


_FUNCTIONS: Functions = {
    "and": lambda *all_of: all(all_of),
    "contains": _contains,
    "eq": same,
    "format": str.format,
    "fromjson": json.loads,
    "in": lambda item, *among: any(same(item, one) for one in among),
    "ne": lambda left, right: not same(left, right),
    "not": lambda value: not value,
    "notin": lambda item, *among: not any(same(item, one) for one in among),
    "or": lambda *one_of: any(one_of),
    "tojson": json.dumps,
}


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, f"cannot read {text[at:]!r} of {text!r}"
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        at = match.end()
    return found


class _Reader:
    """Reads an expression and evaluates it on the way; both sides of `||` are always read."""

    def __init__(self, text: str, context: Mapping[str, Any], functions: Functions) -> None:
        self.tokens = _tokens(text)
        self.context, self.functions = context, functions

    def binary(self, level: int) -> Any:
        if level == len(_LEVELS):
            return self._unary()
        left = self.binary(level + 1)
        while self.tokens and self.tokens[0] in [("sign", sign) for sign in _LEVELS[level]]:
            sign = self.tokens.pop(0)[1]
            right = self.binary(level + 1)
            left = {
                "||": left or right,
                "&&": right if left else left,
                "==": same(left, right),
                "!=": not same(left, right),
            }[sign]
        return left

    def _unary(self) -> Any:
        if self._took("!"):
            return not self._unary()
        kind, word = self.tokens.pop(0)
        value: Any
        if kind == "text":
            value = word.replace("''", "'")
        elif kind == "number":
            value = int(word)
        elif kind == "sign":
            assert word == "(", word
            value = self.binary(0)
            assert self._took(")")
        elif self._took("("):
            value = self.functions[word.lower()](*self._arguments())
        else:
            value = _WORDS[word] if word in _WORDS else look_up(self.context, word)
        return self._parts(value)

    def _parts(self, value: Any) -> Any:
        while self.tokens and self.tokens[0] in {("sign", "."), ("sign", "[")}:
            if self._took("."):
                value = look_up(value, self.tokens.pop(0)[1])
            else:
                self.tokens.pop(0)
                value = look_up(value, self.binary(0))
                assert self._took("]")
        return value

    def _arguments(self) -> Sequence[Any]:
        found = []
        while not self._took(")"):
            found.append(self.binary(0))
            self._took(",")
        return found

    def _took(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == ("sign", sign):
            self.tokens.pop(0)
            return True
        return False
