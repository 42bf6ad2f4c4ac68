"""Print what becomes of files, as JSON: sftp_files.py FILE, which has {name: [files, options]}."""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.sftp.files import SftpFile, SftpFormat, load_sftp_data

found: dict[str, Any] = {}
for name, (files, how) in json.loads(Path(sys.argv[1]).read_text("utf-8")).items():
    if "schema" in how:
        how["schema"] = {column: getattr(pl, kind) for column, kind in how["schema"].items()}
    given = [SftpFile(file, 1, 1, Path(file)) for file in files]
    try:
        frames = list(load_sftp_data(given, SftpFormat(**how)))
    except SourceError as error:
        found[name] = str(error)
        continue
    assert len({tuple(frame.schema.items()) for frame in frames}) == 1, frames
    rows = pl.concat(frames)
    kinds = {column: str(kind) for column, kind in rows.schema.items()}
    found[name] = [kinds, sorted(rows.rows(), key=repr)]
print(json.dumps(found, default=str))
