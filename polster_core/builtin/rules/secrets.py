"""Secrets in files that git tracks.

Formats of keys are those that their issuers document; what merely looks like `password = "..."` has
to have letters and digits, and not to be a placeholder, so that an alarm is worth reading.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from polster_core.environment import git_command
from polster_core.model.diagnostics import Problem, Severity, ValidationRule
from polster_core.model.pipeline import Pipeline

_LARGEST = 1_000_000
"""Bytes: a larger file is data, and nobody types secrets into it."""

_HINT = "take it out and revoke it: git keeps whatever was committed once"
_DATA = (".parquet", ".csv", ".xlsx", ".arrow", ".db", ".duckdb", ".ndjson", ".lock")
_ENV_EXAMPLES = frozenset({"example", "sample", "template", "dist", "jinja"})

# The bytes that a match begins with or must contain: a file without them need not be searched.
_TOKENS: tuple[tuple[str, bytes, re.Pattern[bytes]], ...] = tuple(
    (what, needle, re.compile(pattern))
    for what, needle, pattern in (
        ("a private key", b"PRIVATE KEY", rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"),
        ("an AWS access key", b"AKIA", rb"\bAKIA[0-9A-Z]{16}\b"),
        ("a temporary AWS access key", b"ASIA", rb"\bASIA[0-9A-Z]{16}\b"),
        ("a GitHub token", b"gh", rb"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
        ("a GitHub token", b"github_pat_", rb"\bgithub_pat_[A-Za-z0-9_]{50,}\b"),
        ("a GitLab token", b"glpat-", rb"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("a Slack token", b"xox", rb"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        (
            "a Slack webhook",
            b"hooks.slack.com",
            rb"hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{16,}",
        ),
        ("a Stripe key", b"_live_", rb"\b[rs]k_live_[A-Za-z0-9]{16,}"),
        ("a Google API key", b"AIza", rb"\bAIza[0-9A-Za-z_-]{35}"),
        ("an API key", b"sk-", rb"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{32,}"),
        ("an Azure storage key", b"AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{60,}={0,2}"),
        ("an Azure access signature", b"sig=", rb"[?&;]sig=[A-Za-z0-9%+/_-]{40,}"),
        ("a signed token (JWT)", b"eyJ", rb"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    )
)
# Azurite's account key, which Microsoft publishes for everybody's tests.
_PUBLIC = b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"

_URL = re.compile(rb"\b[a-z][a-z0-9+.-]*://[^\s:/@\"'<>{}$]+:(?P<value>[^\s/@\"'<>{}$]{3,})@")
_WORDS = (
    rb"(?:password|passwd|pwd|secret|token|api_?key|access_?key|account_?key|private_?key"
    rb"|connection_?string|client_?secret|credentials?)"
)
_QUOTED = re.compile(
    rb"(?i)\b[\w.-]*" + _WORDS + rb"[\w-]*[\"']?\s*(?::\s*str\s*)?[:=]\s*"
    rb"[\"'](?P<value>[^\"'\s]{6,})[\"']"
)
_BARE = re.compile(
    rb"(?im)^[ \t]*(?:export[ \t]+|-[ \t]+)?[\w.-]*" + _WORDS + rb"[\w-]*[ \t]*[:=][ \t]*"
    rb"(?P<value>[^\s\"'#]{6,})[ \t]*(?:#.*)?$"
)
_NEEDLES = (
    *(b"pass", b"pwd", b"secret", b"token", b"connection", b"credential"),
    *(b"api_key", b"apikey", b"access_key", b"accesskey", b"account_key", b"accountkey"),
    *(b"private_key", b"privatekey"),
)
_BARE_FILES = (".env", ".yaml", ".yml", ".ini", ".cfg", ".conf", ".properties", ".example")
_PLACEHOLDER = re.compile(
    r"(?i)pass(word|wd)?\d*|secret\d*|changeme|change[-_]me|example|your|placeholder|dummy|fake"
    r"|sample|redacted|xxx|\*\*\*|\.\.\.|<|>|\$|\{|\}|%\(|env\b|environ|getenv|vault|keyring|none"
    r"|null|true|false|todo|test|demo|local|admin123|minioadmin|azurite|devstore|abc123|123456"
)
_NAME_LIKE = re.compile(
    r"[A-Za-z_][A-Za-z_.]*(?:\[\w+\])?|[A-Z][A-Z0-9_]*|[a-z]+(?:[-_./][a-z]+)*\d?"
)


def secrets(pipeline: Pipeline) -> Iterator[Problem]:
    """Find `.env` files, keys, tokens and passwords among the files that git tracks."""
    listed = git_command.tracked(pipeline.root)
    if isinstance(listed, str):
        if _has_repository(pipeline.root):
            yield Problem(
                path=PurePosixPath(".git"),
                message=f"git cannot list what it tracks: {listed}",
                severity=Severity.WARNING,
            )
        return
    for name in listed:
        path = name.rpartition("/")[2]
        if path.startswith(".env") and _is_env(path):
            yield Problem(
                path=PurePosixPath(name),
                message="is tracked by git; it is the place for secrets",
                hint=f"git rm --cached {name}, and add it to .gitignore",
            )
        if not path.endswith(_DATA):
            yield from _in_file(pipeline.root, name)


def _has_repository(root: Path) -> bool:
    return any((folder / ".git").exists() for folder in (root, *root.parents))


def _is_env(name: str) -> bool:
    _, *parts = name.split(".")
    return parts[0] == "env" and _ENV_EXAMPLES.isdisjoint(parts)


def _in_file(root: Path, name: str) -> Iterator[Problem]:
    try:
        with open(f"{root}/{name}", "rb") as file:  # noqa: PTH123 - half of Path's time
            data = file.read(_LARGEST + 1)
    except OSError:  # deleted and not committed yet, a submodule, a dangling link
        return
    if len(data) > _LARGEST or b"\0" in data[:8000]:
        return
    for what, start, value in find(data, name):
        line = data.count(b"\n", 0, start) + 1
        column = len(data[data.rfind(b"\n", 0, start) + 1 : start].decode(errors="replace")) + 1
        shown = f" ({value[:4]}…)" if len(value) > 16 else ""  # noqa: PLR2004 - a fraction only
        yield Problem(
            path=PurePosixPath(name),
            line=line,
            column=column,
            message=f"{what}{shown}",
            hint=_HINT,
        )


def find(data: bytes, path: str) -> Iterator[tuple[str, int, str]]:
    """Yield what each secret in a text seems to be, the offset where it begins, and the text.

    The text of a password is "": not even its beginning is to be shown.
    """
    taken: list[range] = []
    for what, start, value in (*_tokens(data), *_addresses(data)):
        taken.append(range(start, start + len(value)))
        yield what, start, value
    for start, value in _assigned(data, path):
        if _is_secret(value) and not any(start in span for span in taken):
            yield "a password or key", start, ""


def _tokens(data: bytes) -> Iterator[tuple[str, int, str]]:
    for what, needle, pattern in _TOKENS:
        if needle in data:
            for match in pattern.finditer(data):
                if _PUBLIC not in match[0]:
                    yield what, match.start(), match[0].decode()


def _addresses(data: bytes) -> Iterator[tuple[str, int, str]]:
    if b"://" in data:
        for match in _URL.finditer(data):
            if not _is_placeholder(match["value"].decode(errors="replace")):
                yield "a password in an address", match.start("value"), ""


def _assigned(data: bytes, path: str) -> Iterator[tuple[int, str]]:
    lower = data.lower()
    if not any(needle in lower for needle in _NEEDLES):
        return
    patterns = [_QUOTED]
    if path.endswith(_BARE_FILES) or path.rpartition("/")[2].startswith(".env"):
        patterns.append(_BARE)
    for pattern in patterns:
        for match in pattern.finditer(data):
            yield match.start("value"), match["value"].decode(errors="replace")


def _is_placeholder(value: str) -> bool:
    return _PLACEHOLDER.search(value) is not None


def _is_secret(value: str) -> bool:
    """Whether a value looks as if somebody had chosen or generated it to be secret."""
    if _is_placeholder(value) or _NAME_LIKE.fullmatch(value) or _PUBLIC.decode() in value:
        return False
    has_digit = any(letter.isdigit() for letter in value)
    has_letter = any(letter.isalpha() for letter in value)
    return has_digit and has_letter and _entropy(value) > 2.2  # noqa: PLR2004 - bits a character


def _entropy(text: str) -> float:
    """Return Shannon's entropy of the characters, in bits."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


RULES = (
    ValidationRule(name="secret", summary="No secret is in a file that git tracks.", check=secrets),
)
