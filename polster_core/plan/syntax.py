"""Whether a file can be read by what will read it; asked before it is written."""

from __future__ import annotations

import ast
import json
import tomllib
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import PurePosixPath

_WITH_COMMENTS = frozenset({".vscode", ".devcontainer", "devcontainer.json", "tsconfig.json"})
"""Files and folders whose JSON may have comments."""


def problem(path: PurePosixPath, content: bytes) -> str | None:
    """Say why a Python, TOML, YAML or JSON file cannot be parsed; `None` if it can, or is another.

    YAML is looked at only where PyYAML is installed, which Polster itself does not need.
    """
    comments = path.suffix == ".json" and not _WITH_COMMENTS.isdisjoint(path.parts)
    if path.suffix not in _PARSERS or comments:
        return None
    return _problem(path.suffix, content)


@lru_cache(maxsize=1024)
def _problem(suffix: str, content: bytes) -> str | None:
    """Parse; the same text is asked about before and after a change, and in project after project.

    The runtime alone has thousands of lines.
    """
    try:
        _PARSERS[suffix](content)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
    except (ValueError, RecursionError) as error:
        return str(error).replace("\n", " ")
    return None


def _python(content: bytes) -> None:
    with warnings.catch_warnings(action="ignore"):  # such as those of odd escapes
        ast.parse(content)


def _toml(content: bytes) -> None:
    tomllib.loads(content.decode("utf-8-sig"))


def _json(content: bytes) -> None:
    json.loads(content)


def _yaml(content: bytes) -> None:
    try:
        import yaml
    except ModuleNotFoundError:
        return
    try:
        for _ in yaml.parse(content.decode("utf-8-sig")):  # no tag is looked at
            pass
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


_PARSERS: Mapping[str, Callable[[bytes], None]] = {
    ".py": _python,
    ".pyi": _python,
    ".toml": _toml,
    ".json": _json,
    ".yml": _yaml,
    ".yaml": _yaml,
}
