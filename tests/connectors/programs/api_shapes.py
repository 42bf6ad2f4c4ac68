"""Print what becomes of answers, as JSON: api_shapes.py ADDRESS '{PATH: OPTIONS}'."""

import json
import sys
from typing import Any

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.api import fetch_api_data

url, asked = sys.argv[1], json.loads(sys.argv[2])
found: dict[str, Any] = {}
for name, options in asked.items():
    types = {column: eval(kind) for column, kind in options.pop("types", {}).items()}
    try:
        frames = list(fetch_api_data(f"{url}{name}", types=types, **options))
    except SourceError as error:
        found[name] = [str(error), []]
        continue
    assert len({str(frame.collect_schema()) for frame in frames}) <= 1
    rows = pl.concat([frame.lazy() for frame in frames]).collect() if frames else pl.DataFrame()
    kinds = {column: str(kind) for column, kind in rows.schema.items()}
    found[name] = [kinds, rows.to_dicts()]
print(json.dumps(found, default=str))
