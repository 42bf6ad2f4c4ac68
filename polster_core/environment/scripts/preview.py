"""Look at the stored rows of an asset.

    python preview.py PROJECT ASSET [--rows N] [--history] [--json]

Runs in a project's environment and asks the project's own `core.storage`, so that it shows what a
reader of the asset gets, wherever that is kept. `--json` prints one JSON document.
"""

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

FEW = 1_000_000
"""Rows up to which distinct values are counted one by one; above, their number is estimated."""
LONGEST = 28
"""Characters of a smallest or largest value that are shown."""
UNITS = ("B", "KB", "MB", "GB", "TB")


def main() -> int:
    """Do what the command line asks for; return the exit code."""
    arguments = parse_arguments()
    sys.path.insert(0, str(Path(arguments.project) / "src"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    errors: Any = import_module("polster_runtime.errors")
    registry: Any = import_module("polster_runtime.storage.registry")
    try:
        asset = import_module("polster_runtime.domain.asset_id").AssetId.parse(arguments.asset)
        describe = history if arguments.history else latest
        document = describe(registry.store(), asset, arguments.rows)
        words = as_json(document) if arguments.json else as_text(document)
        sys.stdout.writelines(f"{line}\n" for line in words)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except NoDataError as error:
        sys.stderr.write(f"error: {error}\nhint: run it with  polster run --asset {error.asset}\n")
        return 1
    except (errors.PipelineError, OSError) as error:
        sys.stderr.write(f"error: {arguments.asset}: {error}\n")
        return 1
    return 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project")
    parser.add_argument("asset")
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--history", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


class NoDataError(Exception):
    """An asset that has stored nothing."""

    def __init__(self, asset: Any) -> None:
        """Say which."""
        super().__init__(f"{asset} has no data yet")
        self.asset = asset


def latest(store: Any, asset: Any, rows: int) -> dict[str, Any]:
    """Describe the newest snapshot: where it is, its columns and its first rows."""
    snapshot = store.latest(asset)
    if snapshot is None:
        raise NoDataError(asset)
    frame = store.scan(snapshot)
    found = described(store, asset, snapshot, frame)
    return {
        **found,
        "columns": columns(frame, found["rows"]),
        "preview": frame.head(rows).collect(),
    }


def history(store: Any, asset: Any, _: int) -> dict[str, Any]:
    """Describe every snapshot that is still there, the newest first."""
    every = list(reversed(store.snapshots(asset)))
    if not every:
        raise NoDataError(asset)
    rejected = {name_of(path): path for path in store.rejected(asset)}
    snapshots = []
    for snapshot in every:
        found = described(store, asset, snapshot, store.scan(snapshot))
        bad = [rejected[name] for name in map(name_of, snapshot.paths) if name in rejected]
        found["rejected"] = sum(count(scan_file(store, path)) for path in bad)
        found["files"] = len(snapshot.paths)
        snapshots.append(found)
    return {"asset": asset.key, "snapshots": snapshots}


def described(store: Any, asset: Any, snapshot: Any, frame: Any) -> dict[str, Any]:
    """Say where a snapshot is, how large it is, when it was written and by which run."""
    return {
        "asset": asset.key,
        "path": shown_path(snapshot.path),
        "written": written(snapshot.path),
        "rows": count(frame),
        "size_bytes": sum(store.fs.size(path) for path in snapshot.paths),
        "run": store.provenance(snapshot).get("run"),
    }


def scan_file(store: Any, path: str) -> Any:
    """Return the rows of one file of the store."""
    snapshot = import_module("polster_runtime.storage.snapshots").Snapshot((path,))
    return store.scan(snapshot)


def count(frame: Any) -> int:
    """Return the number of rows; Parquet knows it without reading them."""
    pl: Any = import_module("polars")
    return int(frame.select(pl.len()).collect().item())


def columns(frame: Any, rows: int) -> list[dict[str, Any]]:
    """Describe each column: its type, nulls, distinct values, smallest and largest value."""
    pl: Any = import_module("polars")
    schema = frame.collect_schema()
    asked = [
        expression.alias(f"{number} {what}")
        for number, (name, kind) in enumerate(schema.items())
        for what, expression in questions(pl, pl.col(name), kind, rows).items()
    ]
    answers = frame.select(asked).collect(engine="streaming").row(0, named=True) if asked else {}
    return [
        {
            "name": name,
            "type": str(kind),
            **{
                what: answers.get(f"{number} {what}")
                for what in ("nulls", "distinct", "min", "max")
            },
        }
        for number, (name, kind) in enumerate(schema.items())
    ]


def questions(pl: Any, column: Any, kind: Any, rows: int) -> dict[str, Any]:
    """Return what can be asked of a column of a type; of nested ones only the nulls."""
    found = {"nulls": column.null_count()}
    if kind.is_nested() or kind in {pl.Object, pl.Null, pl.Unknown, pl.Binary}:
        return found
    plain = column.cast(pl.String) if kind in {pl.Categorical, pl.Enum} else column
    exact = rows <= FEW or kind == pl.Boolean
    values = plain.drop_nulls()
    found["distinct"] = values.n_unique() if exact else values.cast(pl.String).approx_n_unique()
    return {**found, "min": plain.min(), "max": plain.max()}


def written(path: str) -> str | None:
    """When a snapshot was written, from its name."""
    stamp = name_of(path).partition("-")[0].partition(".")[0]
    try:
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:  # somebody put a file there
        return None


def name_of(path: str) -> str:
    """Return the name of a file without its ending."""
    return path.rsplit("/", 1)[-1].removesuffix(".parquet")


def shown_path(path: str) -> str:
    """Return a path as a person looks for it: inside the project, from its root."""
    root = import_module("polster_runtime.config.root").project_root()
    return path.removeprefix(f"{Path(root).as_posix()}/")


def as_json(document: dict[str, Any]) -> Iterator[str]:
    """Yield the document; frames are lists of rows, and what JSON does not know is text."""
    rows = document.get("preview")
    plain = document if rows is None else {**document, "preview": rows.to_dicts()}
    yield json.dumps(plain, default=str, indent=2, ensure_ascii=False)


def as_text(document: dict[str, Any]) -> Iterator[str]:
    """Yield what a person reads."""
    if "snapshots" in document:
        head = ("WRITTEN", "ROWS", "REJECTED", "SIZE", "FILES", "PATH")
        yield from table([head, *map(history_row, document["snapshots"])], right={1, 2, 3, 4})
        return
    parts = (
        f"{document['rows']:,} rows",
        f"{len(document['columns'])} column{'s' if len(document['columns']) != 1 else ''}",
        size(document["size_bytes"]),
        time(document["written"]),
    )
    name = document["asset"].removeprefix("run_")
    yield f"{name}   {'   '.join(part for part in parts if part)}"
    yield document["path"]
    yield ""
    head = ("COLUMN", "TYPE", "NULLS", "DISTINCT", "MIN", "MAX")
    about = document["rows"] > FEW
    described = (column_row(column, about=about) for column in document["columns"])
    yield from table([head, *described], right={2, 3})
    yield ""
    yield from rows_table(document["preview"]).splitlines()


def history_row(found: dict[str, Any]) -> tuple[str, ...]:
    """Return a snapshot as a row of a table."""
    counts = (f"{found['rows']:,}", f"{found['rejected']:,}", size(found["size_bytes"]))
    return (time(found["written"]), *counts, str(found["files"]), found["path"])


def column_row(column: dict[str, Any], *, about: bool) -> tuple[str, ...]:
    """Return a column as a row of a table."""
    distinct = column["distinct"]
    guessed = "~" if about and column["type"] != "Boolean" else ""
    return (
        column["name"],
        short_type(column["type"]),
        f"{column['nulls']:,}",
        "" if distinct is None else f"{guessed}{distinct:,}",
        shortened(column["min"]),
        shortened(column["max"]),
    )


def short_type(kind: str) -> str:
    """Return a type without the names of its parameters, and without the choices of an Enum."""
    if kind.startswith("Enum("):
        return "Enum"
    return re.sub(r", time_zone=None|\w+=|'", "", kind)


def table(rows: Iterable[Sequence[str]], right: set[int]) -> Iterator[str]:
    """Align cells in columns."""
    known = [list(row) for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*known, strict=True)]
    for row in known:
        cells = [
            f"{cell:>{width}}" if number in right else f"{cell:<{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def rows_table(rows: Any) -> str:
    """Return rows as a table, with as many of the columns as the terminal has room for."""
    terminal = shutil.get_terminal_size().columns
    for shown in range(max(rows.width, 2), 1, -1):
        text = printed(rows, shown)
        if len(text.partition("\n")[0]) <= terminal:
            break
    return text


def printed(rows: Any, shown: int) -> str:
    """Let Polars print rows with a number of their columns."""
    pl: Any = import_module("polars")
    has_lines = "│".encode(sys.stdout.encoding or "utf-8", "replace") != b"?"
    with pl.Config(
        tbl_formatting="UTF8_FULL_CONDENSED" if has_lines else "ASCII_FULL_CONDENSED",
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=shown,
        tbl_width_chars=10_000,
        fmt_str_lengths=40,
    ):
        return str(rows)


def shortened(value: object) -> str:
    """Return a value as a cell."""
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def time(stamp: str | None) -> str:
    """Return a moment to the second, in UTC."""
    return "" if stamp is None else f"{stamp[:10]} {stamp[11:19]} UTC"


def size(number: float) -> str:
    """Return a number of bytes in words: 34.1 KB."""
    for unit in UNITS[:-1]:
        if number < 1000:  # noqa: PLR2004 - as disks count
            return f"{number:.3g} {unit}" if unit != "B" else f"{number:.0f} B"
        number /= 1000
    return f"{number:.3g} {UNITS[-1]}"


if __name__ == "__main__":
    sys.exit(main())
