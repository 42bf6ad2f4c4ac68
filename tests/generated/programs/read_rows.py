"""Print the rows that a reader of an asset gets, as JSON."""

import json
import sys

from core.storage import read

print(json.dumps(read(sys.argv[1]).collect().to_dicts(), default=str))
