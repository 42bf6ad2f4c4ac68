"""Print the column lineage of this project as JSON.

python -m polster_runtime lineage
"""

import argparse
import json

from polster_runtime.execution.column_lineage import of_project
from polster_runtime.storage.registry import store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: there are no options."""


def main(arguments: argparse.Namespace) -> int:
    """Print the columns of each silver and gold asset, and their lineage."""
    del arguments
    columns = [
        {
            "asset": str(asset),
            "column": name,
            "opaque": found.opaque,
            "from": [{"asset": one.asset, "column": one.name} for one in made],
        }
        for asset, found in of_project(store())
        for name, made in found.columns.items()
    ]
    print(json.dumps({"columns": columns}))
    return 0
