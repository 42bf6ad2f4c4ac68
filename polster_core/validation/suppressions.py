"""What a project has decided not to be told, in `[tool.polster.validate]`.

[tool.polster.validate]
ignore = ["group"]

[tool.polster.validate.per-file-ignores]
"tests/*" = ["secret"]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from polster_core.errors import PolsterError
from polster_core.model.names import did_you_mean


@dataclass(frozen=True)
class Ignored:
    """Names of rules that are off, everywhere and by pattern of a path."""

    rules: frozenset[str] = frozenset()
    by_file: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def everywhere(self, rule: str) -> bool:
        """Whether a rule is off altogether."""
        return rule in self.rules

    def here(self, rule: str, path: PurePosixPath) -> bool:
        """Whether a rule is off for a file."""
        return any(
            rule in rules and fnmatchcase(str(path), pattern)
            for pattern, rules in self.by_file.items()
        )

    def unknown(self, rules: Iterable[str]) -> Iterator[str]:
        """Yield a sentence for each name that no rule has."""
        known = set(rules)
        named = self.rules.union(*self.by_file.values())
        for name in sorted(named - known):
            yield f"[tool.polster.validate] ignores {name}, which is no rule" + did_you_mean(
                name, known
            )


def read_ignored(settings: Mapping[str, Any]) -> Ignored:
    """Read the table `validate` of a project's settings; raises PolsterError if it is malformed."""
    table = settings.get("validate", {})
    if not isinstance(table, dict):
        raise _malformed("validate", "a table")
    by_file = table.get("per-file-ignores", {})
    if not isinstance(by_file, dict):
        raise _malformed("validate.per-file-ignores", "a table of patterns and lists")
    return Ignored(
        rules=_names(table.get("ignore", []), "validate.ignore"),
        by_file={
            pattern: _names(names, f'validate.per-file-ignores."{pattern}"')
            for pattern, names in by_file.items()
        },
    )


def _names(value: object, key: str) -> frozenset[str]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return frozenset(value)
    raise _malformed(key, "a list of rule names")


def _malformed(key: str, wanted: str) -> PolsterError:
    return PolsterError(
        f"pyproject.toml: tool.polster.{key} must be {wanted}",
        hint='for example  ignore = ["group"]',
    )
