"""Print the ids of what a reader of each asset gets, as JSON: ids.py ASSET..."""

import json
import sys

from core.storage import read

print(json.dumps({name: read(name).collect()["id"].to_list() for name in sys.argv[1:]}))
