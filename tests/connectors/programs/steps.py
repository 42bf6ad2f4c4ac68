"""Take the steps of a source up to the first that fails, and print them as JSON: steps.py ASSET."""

import importlib
import json
import sys

from polster_runtime.errors import SettingsError, SourceError

found = {}
for name, do in importlib.import_module(f"core.{sys.argv[1]}").source.steps():
    try:
        found[name] = do()
    except (SettingsError, SourceError) as error:
        found[name] = f"error: {error}"
        break
print(json.dumps(found))
