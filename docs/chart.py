"""Draw docs/images/benchmark.svg: seconds for a run of many small assets, beside other tools.

    python docs/chart.py [--check]

The figures are those of docs/concepts/design.md, measured with bench/runs.py on two quiet cores;
`--check` compares the picture with what the script would draw, and exits with 1 if it differs.
"""

# ruff: noqa: INP001

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PICTURE = Path(__file__).parent / "images" / "benchmark.svg"


class Bar(NamedTuple):
    """One measurement: which tool, and how many seconds the whole process took."""

    tool: str
    seconds: float


RUNS = {
    "99 assets": (
        Bar("Polster", 3.4),
        Bar("dbt build, DuckDB", 6.5),
        Bar("dagster asset materialize", 197),
    ),
    "1,002 assets": (Bar("Polster", 28), Bar("dbt build, DuckDB", 71)),
}

_LEFT, _WIDTH, _ROW, _GAP = 200, 480, 26, 14
_SCALE = _WIDTH / 200
"""Pixels a second."""
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.bar { fill: #8c959f; }
.ours { fill: #1a7f64; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .ours { fill: #3fb98f; } }
"""


def picture() -> str:
    """Return the chart as SVG; all bars have one linear scale."""
    rows = list(_rows())
    height = _GAP + sum(row.count("<rect") * _ROW + row.count("title") * _ROW for row in rows)
    size = f'width="{_LEFT + _WIDTH + 80}" height="{height}"'
    label = "Seconds for a run of many small assets"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *rows, "</svg>", ""])


def _rows() -> Iterator[str]:
    top = _GAP
    for title, bars in RUNS.items():
        yield f'<text class="title" x="8" y="{top + 14}">{title}</text>'
        top += _ROW
        for tool, seconds in bars:
            kind = "bar ours" if tool == "Polster" else "bar"
            width = round(seconds * _SCALE, 1)
            yield (
                f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{tool}</text>'
                f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{width}" height="18"/>'
                f'<text x="{_LEFT + width + 8}" y="{top + 14}">{seconds:g} s</text>'
            )
            top += _ROW


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(PICTURE.read_text(encoding="utf-8") != picture())
    PICTURE.write_text(picture(), encoding="utf-8")
