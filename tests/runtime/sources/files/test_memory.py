"""Files larger than the memory that reading them takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("peak_memory.py")
RUNTIME = Path(__file__).parents[4] / "runtime"
RECORDS, FILES, MOST = 2_500, 6, 220
"""Records of 20 kB each; files; MB that may be taken, of 300 MB that are read."""


def write(path: Path, form: str, records: int) -> None:
    """Write records as lines, as a list, or as the list inside of a document."""
    begin, between, end = {
        "lines": ("", "\n", "\n"),
        "list": ("[", ",\n", "]"),
        "document": ('{"before": {"n": 1}, "data": {"items": [', ",", ']}, "after": "x"}'),
    }[form]
    with path.open("w", encoding="utf-8") as out:
        out.write(begin)
        for number in range(records):
            record = {"id": number, "text": chr(97 + number % 26) * 20_000}
            out.write((between if number else "") + json.dumps(record))
        out.write(end)


@pytest.mark.parametrize("form", ["lines", "list", "document"])
def test_memory_stays_while_json_of_several_files_is_read(tmp_path: Path, form: str) -> None:
    small, large = tmp_path / "small.json", [tmp_path / f"{n}.json" for n in range(FILES)]
    write(small, form, 10)
    write(large[0], form, RECORDS)
    for path in large[1:]:
        path.hardlink_to(large[0])  # of no other content, and written once
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "read_json", str(small), *map(str, large)]
        + (["--records", "data.items"] if form == "document" else []),
        env={**os.environ, "PYTHONPATH": str(RUNTIME), "PROJECT_ROOT": str(tmp_path)},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == ["10", str(RECORDS * FILES)]
    assert int(done.stdout) < MOST
