"""Print what becomes of an API by docs/connectors/connectors.py.template: ADDRESS (PATH KEY)..."""

import json
import sys
from importlib import import_module
from typing import Any

fetch_api_data = import_module("core.connectors").fetch_api_data
address, *asked = sys.argv[1:]
said: dict[str, Any] = {}
for path, key in zip(asked[::2], asked[1::2], strict=True):
    try:
        said[path] = fetch_api_data(f"{address}{path}", records=key).to_dicts()
    except (RuntimeError, ValueError) as error:
        said[path] = str(error)
print(json.dumps(said))
