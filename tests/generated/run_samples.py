"""Run with a project's Python: the sample code of new core files, without its comment marks."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path

MARK = "    # For example:"
FUNCTIONS = ("extract", "transform", "aggregate")


def uncommented(text: str) -> str:
    """Put the sample in the place of the `raise`."""
    head, sample = text.split(f"{MARK}\n")
    body, tail = sample.split("    raise NotImplementedError\n")
    lines = [f"    {line[6:]}".rstrip() for line in body.splitlines()]
    return head + "\n".join(lines) + "\n" + tail


def main(*paths: str) -> None:
    """Print the rows that each function returns."""
    pl = import_module("polars")  # it is not where Polster's own tests are checked
    frame = pl.LazyFrame(
        {"id": ["1", "1", "2"], "name": [" a", " a", "b"], "amount": ["3", "3", "4"]}
    )
    for path in map(Path, paths):
        module: dict[str, object] = {"__name__": path.stem}
        exec(compile(uncommented(path.read_text()), path, "exec"), module)  # noqa: S102 - ours
        function = next(module[name] for name in FUNCTIONS if name in module)
        assert callable(function)
        number = len(inspect.signature(function).parameters)
        rows = function(*[frame.with_columns(pl.col("amount").cast(pl.Int64))] * number).collect()
        print(path.stem, rows.height)  # noqa: T201 - it is the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
