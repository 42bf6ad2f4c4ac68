"""The partitions that a new asset is to have: where they are defined, and how it names them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import PurePosixPath
from urllib.parse import quote

from polster_core.errors import PolsterError, UsageProblem
from polster_core.model import layout
from polster_core.model.layers import AssetId
from polster_core.model.pipeline import Pipeline
from polster_core.plan.definition import read
from polster_core.project.locate import Project
from polster_core.rendering.python_source import bracketed, imported, quoted
from polster_core.types import NewFile

CLASSES = {
    "hourly": "HourlyPartitionsDefinition",
    "daily": "DailyPartitionsDefinition",
    "weekly": "WeeklyPartitionsDefinition",
    "monthly": "MonthlyPartitionsDefinition",
}
_HEAD = '"""The partitions that assets have."""\n\nimport dagster as dg\n\n'
_NAME = re.compile(r"[^\s/\\][^\x00-\x1f\x7f,]*")
_LONGEST = 190
"""Bytes of a name as a folder has it, where what is no letter or digit takes three."""
_MOST = 100_000
"""Partitions that an asset may have."""
_LENGTHS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=28),
}
_SUNDAY = 6


@dataclass(frozen=True)
class Partitions:
    """The partitions of an asset.

    `text` is what its Dagster file gives as `partitions_def`, `import_line` what that needs; `key`
    is one of them, for examples. `file` is where they are defined, if that is new.
    """

    text: str
    import_line: str
    key: str
    file: NewFile | None = None


def of_kind(project: Project, asset: AssetId, kind: str, start: str | None) -> Partitions:
    """Return the partitions that a command line asks for.

    Raises UsageProblem where it says something else than partitions, and PolsterError for a file of
    definitions that cannot be read.
    """
    if kind in CLASSES:
        key = _key(kind, _begin(kind, start))
        call = f'dg.{CLASSES[kind]}(start_date="{key}")'
        return _defined(project, asset, kind, call, key)
    if start is not None:
        raise UsageProblem("--start is for partitions of time", hint="omit it")
    keys = _names(kind)
    call = bracketed("dg.StaticPartitionsDefinition([", list(map(quoted, keys)), "])")
    return _defined(project, asset, f"{asset.name}_partitions", call, keys[0])


def of_upstream(
    project: Project,
    pipeline: Pipeline,
    asset: AssetId,
    upstream: tuple[AssetId, ...],
    kind: str,
    start: str | None,
) -> Partitions:
    """Return the partitions of what an asset depends on.

    Raises UsageProblem where it has none, or others than the command line says.
    """
    known = {one.key: one for one in pipeline.assets}
    parted = [known[one.key] for one in upstream if one.key in known and known[one.key].partitions]
    names = " and ".join(map(str, upstream))
    if not parted:
        raise UsageProblem(
            f"{names} has no partitions, and {asset} would have those of what it depends on",
            hint="give the bronze asset partitions first, or omit --partition",
        )
    if start is not None:
        raise UsageProblem(f"the partitions are those of {names}", hint="omit --start")
    own, definition = parted[0].partitions, parted[0].definitions[0]
    if kind in CLASSES and own in CLASSES and kind != own:
        raise UsageProblem(f"{names} has {own} partitions", hint=f"--partition {own}")
    if others := _others(project, definition.partitions, kind):
        raise UsageProblem(f"{names} has other partitions: {others}", hint="give the same ones")
    found = {one.alias: one for one in definition.imports}
    imports = found.get(definition.partitions)
    if imports is not None:
        line = imported(imports.module, definition.partitions)
    elif definition.partitions.isidentifier():
        module = ".".join(definition.place.path.with_suffix("").parts[1:])
        line = imported(module, definition.partitions)
    else:
        line = ""
    return Partitions(definition.partitions, line, _example(own))


def _others(project: Project, name: str, kind: str) -> str:
    """Return what the file of definitions says of a name, where that is not what is asked for."""
    text = (read(project.root / _file()) or b"").decode("utf-8")
    known = _definitions(text).get(name, "")
    if kind in CLASSES:
        return known if "StaticPartitionsDefinition" in known else ""
    wanted = ast.unparse(ast.parse(f"dg.StaticPartitionsDefinition({_names(kind)!r})"))
    return known if known != wanted else ""


def _example(kind: str) -> str:
    return "2026-01-31-05:00" if kind == "hourly" else "2026-01-31" if kind in CLASSES else "a"


def _begin(kind: str, start: str | None) -> datetime:
    if start is None:
        raise UsageProblem(f"{kind} partitions need a start", hint="--start 2026-01-01")
    try:
        begin = datetime.fromisoformat(start)
    except ValueError:
        raise UsageProblem(f"--start {start} is no date", hint="--start 2026-01-01") from None
    if begin.tzinfo is not None:
        path = _file()
        raise UsageProblem(
            f"--start {start} has a time zone, and the partitions would be those of UTC",
            hint=f'omit it; then add timezone="Europe/Berlin" in {path}, if that is meant',
        )
    now = datetime.now(UTC).replace(tzinfo=None)
    if begin > now:
        raise UsageProblem(f"--start {start} is in the future", hint="there would be no partition")
    if begin != (first := _first(kind, begin)):
        raise UsageProblem(
            f"--start {start} is within a partition, and what is before the next would be in none",
            hint=f"--start {first.isoformat(timespec='minutes').removesuffix('T00:00')}",
        )
    if (count := (now - begin) // _LENGTHS[kind]) > _MOST:
        raise UsageProblem(
            f"--start {start} would be {count:,} partitions; at most {_MOST:,} are possible",
            hint="take longer ones, or a later start",
        )
    return begin


def _first(kind: str, begin: datetime) -> datetime:
    """Return when the partition began that a moment is in."""
    if kind == "hourly":
        return begin.replace(minute=0, second=0, microsecond=0)
    day = datetime.combine(begin, time())
    if kind == "weekly":  # from Sunday, as Dagster counts
        return day - timedelta(days=(day.weekday() - _SUNDAY) % 7)
    return day.replace(day=1) if kind == "monthly" else day


def _key(kind: str, begin: datetime) -> str:
    day = begin.date().isoformat()
    return f"{day}-{begin:%H:%M}" if kind == "hourly" else day


def _names(text: str) -> list[str]:
    keys = [key.strip() for key in text.split(",")]
    if len(keys) == 1 or not all(map(_NAME.fullmatch, keys)):
        kinds = ", ".join(CLASSES)
        raise UsageProblem(f"--partition {text} is neither {kinds} nor names", hint="eu,us,asia")
    if len({key.casefold() for key in keys}) < len(keys) or any(".." in key for key in keys):
        raise UsageProblem(
            f"--partition {text}: names must differ in more than case, and have no .. in them"
        )
    for key in keys:
        if len(quote(key, safe="")) > _LONGEST:
            raise UsageProblem(
                f"{key} is too long for the name of a folder",
                hint="what is no letter or digit of English counts three times or more",
            )
    return keys


def _file() -> PurePosixPath:
    """Return where the definitions are: assets with the same partitions name the same one."""
    return layout.current().assets.parent / "partitions.py"


def _defined(project: Project, asset: AssetId, name: str, call: str, key: str) -> Partitions:
    """Return a definition by its name in the file of definitions, which it may be new in."""
    path, module = _file(), layout.current().module("orchestration.partitions")
    before = read(project.root / path)
    text = before.decode("utf-8") if before is not None else _HEAD
    known = _definitions(text)
    wanted = ast.unparse(ast.parse(call))
    for other, value in known.items():
        if value == wanted:
            return Partitions(other, imported(module, other), key)
    number, free = 2, name if name not in known else f"{name}_{asset.name}"
    while free in known:
        free, number = f"{name}_{asset.name}_{number}", number + 1
    file = NewFile(path=path, text=f"{text.rstrip()}\n{_gap(text)}{free} = {call}\n")
    return Partitions(free, imported(module, free), key, file)


def _definitions(text: str) -> dict[str, str]:
    """Return what the names in the file of definitions stand for. Raises PolsterError."""
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        raise PolsterError(f"{_file()}:{error.lineno}: {error.msg}", hint="fix it first") from None
    return {
        target.id: ast.unparse(node.value)
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _gap(text: str) -> str:
    return "\n" if text.rstrip().endswith("import dagster as dg") else ""
