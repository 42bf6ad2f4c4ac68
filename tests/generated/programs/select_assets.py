"""Print the assets that each of some selections means, as JSON."""

import json
import sys

from orchestration.definitions import defs
from polster_runtime.dagster.selection import select

graph = defs().resolve_asset_graph()
chosen = {text: select(graph, [], text) for text in json.loads(sys.argv[1])}
names = {
    text: sorted(key.to_user_string().removeprefix("run_") for key in keys)
    for text, keys in chosen.items()
}
print(json.dumps(names))
