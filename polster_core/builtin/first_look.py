"""What is in the files that a new asset will read, looked at before it ever runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from polster_core import delivery
from polster_core.environment import venv
from polster_core.environment.process import clean_environment

MAX_COLUMNS = 30
"""Columns that are shown."""
_MODULE = f"{delivery.RUNTIME}.sources.files.look"
_GUESS = "cp1252"
"""What is neither UTF-8 nor marked is read as, where it makes words of it."""
_SECONDS = 60
_WIDTH = 24
_PLAIN = frozenset({"csv", "json"})
"""What Polster's own Python can look at; the rest needs packages of the project."""


def lines(root: Path, pattern: str, kind: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the files hold: how they are written, their columns, three rows.

    What cannot be looked at is a line that says why: the asset may be there before its files.
    """
    python = Path(sys.executable) if kind in _PLAIN else venv.python(root)
    if not python.exists():
        yield "Its files are looked at once there is an environment:  polster setup"
        return
    found = _look(python, root, pattern, {**options, "kind": kind})
    if isinstance(found, str):
        yield f"Not readable yet: {found}"
        return
    yield _summary(pattern, found)
    yield from _doubts(found["notes"], options)
    yield from _table(found["columns"], found["rows"])


def _look(
    python: Path, root: Path, pattern: str, options: Mapping[str, Any]
) -> dict[str, Any] | str:
    """Return what was found, or why nothing was."""
    with resources.as_file(delivery.runtime_folder()) as runtime:
        environment = {**clean_environment(), "PYTHONPATH": str(runtime.parent)}
        try:
            done = subprocess.run(  # noqa: S603 - Polster's own code
                [str(python), "-P", "-m", _MODULE, pattern, json.dumps(options)],
                check=False,
                cwd=root,
                env={**environment, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"looking at {pattern} took more than {_SECONDS} seconds"
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return said[-1] if said else f"exit code {done.returncode}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _summary(pattern: str, found: Mapping[str, Any]) -> str:
    files = "1 file" if found["files"] == 1 else f"{found['files']} files"
    notes = found["notes"]
    told = [notes["encoding"]] if "encoding" in notes else []
    if separator := notes.get("separator"):
        told.append("separated by " + {"\t": "tab", " ": "space"}.get(separator, separator))
    if notes.get("decimal") == ",":
        told.append("decimal comma")
    if notes.get("header_row", "1") not in {"0", "1"}:
        told.append(f"header in line {notes['header_row']}")
    return f"{pattern}: {', '.join([files, *told])}"


def _doubts(notes: Mapping[str, str], options: Mapping[str, Any]) -> Iterator[str]:
    """Yield what will be read in another way than it may be meant, or not at all."""
    if notes.get("encoding") == _GUESS and not options.get("encoding"):
        yield (
            f"Not UTF-8, taken for {_GUESS}: name the encoding with --encoding, that or another; "
            "mac_roman of old Macs and cp850 of DOS cannot always be told from it"
        )
    if (line := notes.get("ragged")) and options.get("ragged") != "keep":
        yield f"Line {line} has more or fewer fields than the header, which fails a run:"
        yield "  name --separator or --header-row, or keep such rows with --ragged keep"


def _table(columns: Mapping[str, str], rows: list[Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for each column: its name, its type, its values in the first rows."""
    shown = dict(list(columns.items())[:MAX_COLUMNS])
    widths = [max(map(len, map(_cut, texts))) for texts in (shown, shown.values())]
    for name, kind in shown.items():
        values = "  ".join(f"{_cut(row.get(name, '')):{_WIDTH}}" for row in rows)
        yield f"  {_cut(name):{widths[0]}}  {_cut(kind):{widths[1]}}  {values}".rstrip()
    if len(columns) > MAX_COLUMNS:
        yield f"  … and {len(columns) - MAX_COLUMNS} more columns"


def _cut(text: str) -> str:
    """Return a text on one line, as wide as a cell."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain if len(plain) <= _WIDTH else f"{plain[: _WIDTH - 1]}…"
