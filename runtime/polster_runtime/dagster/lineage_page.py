"""The page of the Dagster UI that shows the lineage of all assets."""

import json
import urllib.request
from collections.abc import Iterable

from polster_runtime.domain.layers import LAYERS

QUERY = """
{ repositoriesOrError { ... on RepositoryConnection { nodes { assetGroups { groupName } } } } }
"""


def lineage_page(address: str) -> str:
    """The address of the lineage with every group open, for a UI that answers at an address."""
    try:
        groups = _groups(address)
    except (OSError, ValueError, LookupError, TypeError):  # it is an address only
        groups = []
    others = sorted({*groups} - {*LAYERS})
    return f"{address}/asset-groups?expanded={','.join(map(_id, [*LAYERS, *others]))}"


def _groups(address: str) -> list[str]:
    body = json.dumps({"query": QUERY}).encode()
    request = urllib.request.Request(
        f"{address}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        nodes: Iterable[dict[str, list[dict[str, str]]]] = json.load(answer)["data"][
            "repositoriesOrError"
        ]["nodes"]
    return [group["groupName"] for node in nodes for group in node["assetGroups"]]


def _id(group: str) -> str:
    """How the page calls a group of assets that may come from several code locations."""
    return f"global@global:{group}"
