"""The address of the lineage, with every group of assets open."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from polster_runtime.dagster.lineage_page import lineage_page

LAYERS = "global@global:bronze,global@global:silver,global@global:gold"


@contextmanager
def answering(body: object) -> Iterator[str]:
    """Answer every question with a document, and return the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_groups_of_others_come_last() -> None:
    names = ["gold", "default", "bronze"]
    groups = {"assetGroups": [{"groupName": name} for name in names]}
    body = {"data": {"repositoriesOrError": {"nodes": [groups, groups]}}}
    with answering(body) as address:
        expected = f"{address}/asset-groups?expanded={LAYERS},global@global:default"
        assert lineage_page(address) == expected


@pytest.mark.parametrize("body", [{"errors": []}, {"data": {"repositoriesOrError": {}}}, 7])
def test_an_answer_that_is_none_leaves_the_layers(body: object) -> None:
    with answering(body) as address:
        assert lineage_page(address) == f"{address}/asset-groups?expanded={LAYERS}"
