"""Apply safe fixes: those whose result can be read, and that leave the rest of a file alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from polster_core.errors import PolsterError
from polster_core.model.diagnostics import Fix, Problem
from polster_core.plan import conflicts, syntax
from polster_core.plan.definition import Plan, draft
from polster_core.plugins.capture import captured
from polster_core.types import NewFile
from polster_core.validation.runner import Finding, Rule
from polster_core.validation.touched import allowed_lines, first_foreign_line


class UnsafeFixError(Exception):
    """A fix that does what a fix must not do; its file stays as it is."""


@dataclass(frozen=True)
class FixPlan:
    """A plan of fixes, and a sentence for each fix that turned out to be impossible.

    `unsafe` are sentences about fixes that a rule got wrong: they name who wrote it.
    """

    plan: Plan
    failures: tuple[str, ...]
    unsafe: tuple[str, ...] = ()


@dataclass
class _File:
    """A file on its way: what it was, what it is by now, and the lines that may differ."""

    before: bytes
    after: bytes
    allowed: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def plan_fixes(root: Path, findings: Iterable[Finding], rules: Iterable[Rule] = ()) -> FixPlan:
    """Plan the fixes of all findings; several fixes of one file follow each other.

    A fix that raises, returns no bytes, leaves a file that cannot be read, or changes lines that it
    is not about is left out, and the others are planned. `rules` say who wrote which.
    """
    files: dict[PurePosixPath, _File] = {}
    failures: list[str] = []
    unsafe: list[str] = []
    sources = {rule.name: rule.source for rule in rules}
    for finding in findings:
        problem, fix = finding.problem, finding.problem.fix
        if fix is None:
            continue
        try:
            if problem_of_path := conflicts.outside(fix.path) or conflicts.reserved(fix.path):
                raise UnsafeFixError(problem_of_path)  # noqa: TRY301 - like all that is refused
            file = files.get(fix.path) or _read(root, fix)
            _apply(file, problem, fix)
            files[fix.path] = file
        except (PolsterError, OSError) as error:
            failures.append(f"{fix.path}: cannot {fix.summary}: {error}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            text = " ".join(f"{error}".split())
            said = text if isinstance(error, UnsafeFixError) else f"{type(error).__name__}: {text}"
            who = f"the fix of the rule {finding.rule} ({sources.get(finding.rule, 'unknown')})"
            unsafe.append(f"{fix.path} stays as it is: {who} was not applied: {said}")
    wanted = [
        NewFile(path=path, text=file.after, note="; ".join(dict.fromkeys(file.notes)))
        for path, file in files.items()
    ]
    plan = draft(root, wanted, command="validate --fix")
    return FixPlan(plan, tuple(failures), tuple(dict.fromkeys(unsafe)))


def _apply(file: _File, problem: Problem, fix: Fix) -> None:
    """Let a fix edit a file; raises UnsafeFixError, and whatever the fix raises."""
    with captured():
        after = fix.edit(file.after)
    if not isinstance(after, bytes):
        raise UnsafeFixError(f"it returned {type(after).__name__}, not bytes")
    allowed = file.allowed | allowed_lines(problem, file.before)
    if after != file.after:
        broken = syntax.problem(fix.path, after)
        if broken and not (file.after and syntax.problem(fix.path, file.after)):
            raise UnsafeFixError(f"what it wrote cannot be read: {broken}")
        line = first_foreign_line(file.before, after, allowed) if file.before else None
        if line is not None:
            raise UnsafeFixError(f"it changes line {line}, which is none of its own")
    file.after, file.allowed = after, allowed
    file.notes.append(fix.summary)


def _read(root: Path, fix: Fix) -> _File:
    try:
        text = (root / fix.path).read_bytes()
    except FileNotFoundError:
        text = b""
    return _File(text, text)
