"""What an upgrade says: lines for people, JSON in a published form for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from polster_core.model.ownership import RUNTIME, Owner
from polster_core.plan.definition import Plan
from polster_core.plan.render import table
from polster_core.upgrade.changelog import Changes
from polster_core.upgrade.verdicts import Outcome, Verdict

_ORDER = tuple(Verdict)
_FEW = 12
"""Lines of a version that people are shown; its most important changes come first."""


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """An upgrade, decided: from which version to which, the verdicts, and the plan.

    `runtime` is how the project gets its runtime before and afterwards, `plugins` maps those whose
    version changes to both versions. `changes` is what is new for users; `notes` are sentences
    about what nobody can decide but the team.
    """

    before: str
    after: str
    runtime: tuple[str, str]
    outcomes: Sequence[Outcome]
    plan: Plan
    plugins: dict[str, tuple[str, str]] = field(default_factory=dict)
    changes: Sequence[Changes] = ()
    notes: Sequence[str] = ()

    @property
    def conflicts(self) -> list[Outcome]:
        """The files that somebody has to look at."""
        return [one for one in self.outcomes if one.verdict is Verdict.CONFLICT]

    @property
    def shown(self) -> list[Outcome]:
        """The files that anything is to be said about."""
        return [one for one in self.outcomes if one.verdict is not Verdict.UNCHANGED]


_TEXT = {"type": "string"}
_PAIR = {
    "type": "object",
    "required": ["from", "to"],
    "properties": {"from": _TEXT, "to": _TEXT},
}
RESPONSE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "polster upgrade --json",
    "type": "object",
    "required": ["polster", "runtime", "plugins", "needed", "applied", "files", "changes", "notes"],
    "properties": {
        "polster": {**_PAIR, "description": "the version that generated the project, and this one"},
        "runtime": {**_PAIR, "description": 'how it gets its runtime: "vendored" or "package"'},
        "plugins": {
            "type": "object",
            "description": "plugins whose version changes, by name",
            "additionalProperties": _PAIR,
        },
        "needed": {"type": "boolean", "description": "whether there is anything to do"},
        "applied": {"type": "boolean", "description": "whether it was done"},
        "files": {
            "type": "array",
            "description": "the files that anything is to be said about, by path",
            "items": {
                "type": "object",
                "required": ["path", "verdict", "owner", "note", "polster_text", "your_text"],
                "properties": {
                    "path": {**_TEXT, "description": "relative to the project"},
                    "verdict": {"enum": [str(one) for one in Verdict if one != "unchanged"]},
                    "owner": {"enum": ["shared", "polster"]},
                    "note": {**_TEXT, "description": 'why, in a sentence; "" where that is clear'},
                    "polster_text": {
                        "type": ["string", "null"],
                        "description": "where Polster's text lies, if not in the file itself",
                    },
                    "your_text": {
                        "type": ["string", "null"],
                        "description": "where the team's text lies, if not in the file itself",
                    },
                },
            },
        },
        "changes": {
            "type": "array",
            "description": "what changed for users, the newest version first",
            "items": {
                "type": "object",
                "required": ["version", "lines"],
                "properties": {"version": _TEXT, "lines": {"type": "array", "items": _TEXT}},
            },
        },
        "notes": {"type": "array", "items": _TEXT, "description": "what to look at by hand"},
    },
}


def as_json(upgrade: Upgrade, *, applied: bool) -> dict[str, Any]:
    """Return the document that `RESPONSE_SCHEMA` describes."""
    return {
        "polster": {"from": upgrade.before, "to": upgrade.after},
        "runtime": dict(zip(("from", "to"), upgrade.runtime, strict=True)),
        "plugins": {
            name: {"from": before, "to": after}
            for name, (before, after) in sorted(upgrade.plugins.items())
        },
        "needed": bool(upgrade.plan),
        "applied": applied,
        "files": [_described(outcome) for outcome in upgrade.shown],
        "changes": [{"version": one.version, "lines": [*one.lines]} for one in upgrade.changes],
        "notes": [*upgrade.notes],
    }


def _described(outcome: Outcome) -> dict[str, Any]:
    beside, replaced = outcome.beside_path, outcome.replaced_path
    return {
        "path": str(outcome.path),
        "verdict": str(outcome.verdict),
        "owner": str(outcome.owner),
        "note": outcome.note,
        "polster_text": str(beside) if beside else None,
        "your_text": str(replaced) if replaced else None,
    }


def headline(upgrade: Upgrade) -> str:
    """Say which version becomes which."""
    if upgrade.before == upgrade.after:
        return f"polster {upgrade.after}"
    return f"polster {upgrade.before} -> {upgrade.after}"


def verdict_lines(upgrade: Upgrade) -> Iterator[str]:
    """Yield a line for each file, the files that are Polster's alone together."""
    yield from table(_rows(upgrade.shown))


def _rows(outcomes: Iterable[Outcome]) -> list[tuple[str, str, str]]:
    rows: dict[tuple[Verdict, PurePosixPath], list[Outcome]] = {}
    for outcome in outcomes:
        rows.setdefault((outcome.verdict, _together(outcome)), []).append(outcome)
    return [
        (str(verdict), *_row(path, found))
        for (verdict, path), found in sorted(
            rows.items(), key=lambda row: (_ORDER.index(row[0][0]), row[0][1])
        )
    ]


def _together(outcome: Outcome) -> PurePosixPath:
    """Return the folder whose files are counted, or the path of a file that is shown by itself."""
    path = outcome.path
    if outcome.owner is not Owner.POLSTER or outcome.verdict is Verdict.CONFLICT:
        return path
    if path.is_relative_to(RUNTIME):
        return RUNTIME
    return PurePosixPath(*path.parts[:3])


def _row(path: PurePosixPath, found: Sequence[Outcome]) -> tuple[str, str]:
    if path != found[0].path:
        return f"{path}/", "1 file" if len(found) == 1 else f"{len(found)} files"
    beside = found[0].beside_path
    where = f"; Polster's is in {beside.name}" if beside else ""
    return str(path), f"{found[0].note}{where}"


def change_lines(upgrade: Upgrade) -> Iterator[str]:
    """Yield what changed for users, by version."""
    for changes in upgrade.changes:
        yield f"New in {changes.version}:"
        yield from (f"  - {line}" for line in changes.lines[:_FEW])
        if (left := len(changes.lines) - _FEW) > 0:
            yield f"  … and {left} more; --json lists all"


__all__ = [
    "RESPONSE_SCHEMA",
    "Upgrade",
    "as_json",
    "change_lines",
    "headline",
    "verdict_lines",
]
