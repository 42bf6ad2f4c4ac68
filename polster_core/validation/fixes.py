"""Apply safe fixes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from polster_core.errors import PolsterError
from polster_core.model.diagnostics import Fix
from polster_core.plan.definition import Plan, draft
from polster_core.types import NewFile
from polster_core.validation.runner import Finding


@dataclass(frozen=True)
class FixPlan:
    """A plan of fixes, and a sentence for each fix that turned out to be impossible."""

    plan: Plan
    failures: tuple[str, ...]


def plan_fixes(root: Path, findings: Iterable[Finding]) -> FixPlan:
    """Plan the fixes of all findings; several fixes of one file follow each other."""
    texts: dict[PurePosixPath, bytes] = {}
    notes: dict[PurePosixPath, list[str]] = {}
    failures: list[str] = []
    for fix in (finding.problem.fix for finding in findings):
        if fix is None:
            continue
        try:
            texts[fix.path] = fix.edit(texts.get(fix.path, _read(root, fix)))
            notes.setdefault(fix.path, []).append(fix.summary)
        except (PolsterError, OSError) as error:
            failures.append(f"{fix.path}: cannot {fix.summary}: {error}")
    wanted = [
        NewFile(path=path, text=text, note="; ".join(dict.fromkeys(notes.get(path, ()))))
        for path, text in texts.items()
    ]
    return FixPlan(draft(root, wanted, command="validate --fix"), tuple(failures))


def _read(root: Path, fix: Fix) -> bytes:
    try:
        return (root / fix.path).read_bytes()
    except FileNotFoundError:
        return b""
