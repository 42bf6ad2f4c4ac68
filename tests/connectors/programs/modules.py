"""Import modules, and print all that are loaded then, as JSON: modules.py MODULE..."""

import importlib
import json
import sys

for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
