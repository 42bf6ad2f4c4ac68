"""Show a plan: the same object that `apply` carries out, nothing recomputed."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from polster_core.plan.definition import Change, FolderChange, Kind, Plan

_MANY = 20
_WIDEST = 60
"""Columns: a path longer than this does not push everybody's notes to the right."""


def summary(plan: Plan, *, prefix: str = "") -> Iterator[str]:
    """Yield one line per change and step: what, which path (behind `prefix`), why.

    A file that is updated says how many lines come and go, unless the change has its own note.
    """
    rows = [
        *((change.kind, _path(change, prefix), change.note or _size(change)) for change in plan),
        *((folder.kind, _path(folder, prefix), folder.note) for folder in plan.folders),
        *(step.row(step.summary) for step in plan.steps),
    ]
    yield from table(rows)


def visible(plan: Plan) -> Plan:
    """Leave out what Polster notes for itself."""
    return replace(plan, changes=tuple(one for one in plan if one.path.parts[0] != ".polster"))


def overview(plan: Plan, *, prefix: str = "") -> Iterator[str]:
    """Yield a line for each file and step; a folder with many new files has one line."""
    paths = [change.path for change in plan if change.kind is Kind.CREATE]
    many = {
        folder
        for folder, count in Counter(PurePosixPath(*path.parts[:2]) for path in paths).items()
        if count > _MANY
    }
    whole = {folder: sum(folder in path.parents for path in paths) for folder in many}
    rows = [
        ("create", f"{prefix}{path}", "")
        for path in paths
        if many.isdisjoint({path, *path.parents})
    ]
    rows += [("create", f"{prefix}{path}/", f"{count} files") for path, count in whole.items()]
    rows.sort(key=lambda row: row[1])
    rows += updates(plan, prefix=prefix)
    yield from table([*rows, *(step.row(step.summary) for step in plan.steps)])


def updates(plan: Plan, *, prefix: str = "") -> list[tuple[str, str, str]]:
    """Return a row for each file that is there and changes."""
    return [
        (change.kind, _path(change, prefix), change.note or _size(change))
        for change in plan
        if change.kind is not Kind.CREATE
    ]


def table(rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Align rows of a verb, its object and a note; `("create", "a.py", "")` is `  create  a.py`."""
    known = list(rows)
    verbs = max(len("create"), *(len(verb) for verb, _, _ in known), 0)
    objects = [len(thing) for _, thing, note in known if note and len(thing) <= _WIDEST]
    width = max(objects, default=0)
    for verb, thing, note in known:
        yield f"  {verb:<{verbs}}  {thing:<{width if note else 0}}  {note}".rstrip()


def diff(plan: Plan) -> Iterator[str]:
    """Yield the unified diff of all text files; line ends are not compared."""
    for change in plan:
        yield from _diff(change)


def as_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain values, for `--json`."""
    changes = [
        {
            "action": str(item.kind),
            "path": str(item.path),
            "target": str(item.target) if item.target is not None else None,
            "note": item.note,
        }
        if isinstance(item, FolderChange)
        else {
            "action": str(item.kind),
            "path": str(item.source or item.path),
            "target": str(item.path) if item.source is not None else None,
            "note": item.note,
        }
        for item in (*plan, *plan.folders)
    ]
    return {
        "changes": changes,
        "steps": [{"name": step.name, "summary": step.summary} for step in plan.steps],
    }


def _path(item: Change | FolderChange, prefix: str) -> str:
    if isinstance(item, FolderChange):
        return _arrow(f"{prefix}{item.path}/", f"{prefix}{item.target}/" if item.target else None)
    if item.source is not None:
        return _arrow(f"{prefix}{item.source}", f"{prefix}{item.path}")
    return f"{prefix}{item.path}"


def _arrow(source: str, target: str | None) -> str:
    return f"{source} -> {target}" if target else source


def _size(change: Change) -> str:
    """Say how many lines an update adds and removes."""
    if change.before is None or change.after is None or change.before == change.after:
        return ""
    before, after = _lines(change.before), _lines(change.after)
    if before is None or after is None:
        return "binary"
    lines = list(difflib.unified_diff(before, after, n=0))[2:]
    counts = {sign: sum(line.startswith(sign) for line in lines) for sign in "+-"}
    if not any(counts.values()):
        return "line ends"
    parts = (f"{sign}{count}" for sign, count in counts.items() if count)
    return f"{' '.join(parts)} {'line' if sum(counts.values()) == 1 else 'lines'}"


def _diff(change: Change) -> Iterator[str]:
    if change.kind is Kind.RENAME:
        yield f"rename {change.source} -> {change.path}"
    before, after = _lines(change.before), _lines(change.after)
    if before is None or after is None:
        if change.before != change.after:
            yield f"{change.path}: binary, not shown"
        return
    old = "/dev/null" if change.before is None else f"a/{change.source or change.path}"
    new = "/dev/null" if change.after is None else f"b/{change.path}"
    yield from difflib.unified_diff(before, after, old, new, lineterm="")


def _lines(content: bytes | None) -> list[str] | None:
    """Return the lines of a text; `None` if it is none."""
    try:
        text = (content or b"").decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.splitlines()


__all__ = ["as_json", "diff", "summary", "table"]
