"""Compare: the same pages of an API to Parquet, by the connector and by dlt's `rest_api` source.

    python bench/rest.py [PAGES]

Each page has 1,000 records of eight fields. Both run in a process of their own, one after the
other, three times; what counts is the best. Needs uv; the environments are made in a temporary
folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SIZE, REPEATS = 1_000, 3

OURS = """
import resource, sys, time
started = time.perf_counter()
from core.bronze_orders import extract
from polster_runtime.execution.materialize import materialize
assert materialize(extract).rows == int(sys.argv[1])
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
DLT = """
import os, resource, sys, time
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
started = time.perf_counter()
import dlt
from dlt.sources.rest_api import rest_api_source
source = rest_api_source({
    "client": {
        "base_url": sys.argv[2],
        "paginator": {"type": "json_link", "next_url_path": "next"},
    },
    "resources": [{"name": "orders", "endpoint": {"path": "orders", "data_selector": "data"}}],
})
target = dlt.destinations.filesystem(bucket_url=f"file://{os.getcwd()}/out")
pipeline = dlt.pipeline("bench", pipelines_dir="state", destination=target, dataset_name="d")
pipeline.run(source, loader_file_format="parquet")
rows = pipeline.last_trace.last_normalize_info.row_counts["orders"]
assert rows == int(sys.argv[1]), rows
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def page(number: int, pages: int) -> bytes:
    """Return a page; the last one has no next."""
    records = [
        {
            "id": identity,
            "customer": f"customer {identity % 997}",
            "amount": identity / 100,
            "paid": identity % 3 == 0,
            "at": f"2026-01-01T00:00:{identity % 60:02}Z",
            "note": None if identity % 5 else "late",
            "address": {"city": "Bern", "zip": 3000 + identity % 9},
            "lines": [1, 2, 3],
        }
        for identity in range(number * SIZE, (number + 1) * SIZE)
    ]
    following = f"/orders?page={number + 1}" if number + 1 < pages else None
    return json.dumps({"data": records, "next": following}).encode()


@contextmanager
def serving(pages: int) -> Iterator[str]:
    """Serve the pages, made before."""
    made = [page(number, pages) for number in range(pages)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            body = made[int(query.get("page", ["0"])[0])]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def uv(*args: str) -> None:
    """Run uv quietly."""
    subprocess.run(["uv", *args], check=True)


def environment(folder: Path, *requirements: str) -> Path:
    """Make an environment with what is required, and return its Python."""
    uv("venv", "-q", str(folder))
    python = folder / "bin" / "python"
    uv("pip", "install", "-q", "--compile-bytecode", "-p", str(python), *requirements)
    return python


def project(folder: Path, url: str) -> Path:
    """Make a project with an asset that reads the pages."""
    polster = [sys.executable, "-m", "polster_core"]
    options = ("--no-setup", "--no-git", "--no-sample-assets")
    subprocess.run(
        [*polster, "init", "shop", *options], cwd=folder, check=True, capture_output=True
    )
    asset = ("--layer", "bronze", "--name", "orders", "--template", "api", "--url", f"{url}/orders")
    subprocess.run(
        [*polster, "add-asset", *asset], cwd=folder / "shop", check=True, capture_output=True
    )
    return folder / "shop"


def best(command: list[str | Path], folder: Path, **env: str) -> tuple[float, int]:
    """Return the seconds of the best of some runs, and the megabytes of its process."""
    found = []
    for _ in range(REPEATS):
        done = subprocess.run(
            command,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **env},
        )
        seconds, megabytes = done.stdout.split()[-2:]
        found.append((float(seconds), int(megabytes)))
    return min(found)


def main() -> None:
    """Measure, and print one line each and the ratios."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    rows = str(pages * SIZE)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name, serving(pages) as url:
        folder = Path(name)
        shop = project(folder, url)
        ours = environment(folder / "ours", "-r", str(shop / "pyproject.toml"))
        theirs = environment(folder / "theirs", "dlt[filesystem,parquet]")
        here = best([ours, "-c", OURS, rows], shop, PYTHONPATH=str(shop / "src"))
        there = best([theirs, "-c", DLT, rows, url], folder)
    for who, (seconds, megabytes) in {"polster": here, "dlt rest_api": there}.items():
        print(f"{who:<14}{seconds:8.2f} s{megabytes:8} MB   {int(rows) / seconds:>10,.0f} rows/s")
    print(f"dlt / polster {there[0] / here[0]:8.1f} x time{there[1] / here[1]:6.1f} x memory")


if __name__ == "__main__":
    main()
