"""Read files with one of the readers; print by how many MB that took memory to its peak.

    python peak_memory.py READER FILE... [--records PATH]

A small file of the same kind is read first, so that what Polars always takes is left out.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from polster_runtime.sources import files
from polster_runtime.sources.files.found_files import DataFile

MEGABYTE = 1 if sys.platform == "darwin" else 2**10


def read(paths: Sequence[str], reader: str, options: dict[str, str]) -> int:
    """Read files, keep nothing, return the peak of memory so far in MB."""
    named = [DataFile(Path(path), path) for path in paths]
    rows = sum(frame.height for frame in getattr(files, reader)(named, **options))
    sys.stderr.write(f"{rows}\n")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE


def main() -> None:
    """Print the difference that the large files make."""
    reader, small, *large = sys.argv[1:]
    options = {}
    if "--records" in large:
        options["records"] = large.pop()
        large.remove("--records")
    before = read([small], reader, options)
    sys.stdout.write(f"{read(large, reader, options) - before}\n")


if __name__ == "__main__":
    main()
