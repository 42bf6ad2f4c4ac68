"""Two projects, each in an environment of its own, in one webserver and one daemon."""

from __future__ import annotations

import json
import subprocess
import urllib.request
import venv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.generated.warm import TIMEOUT
from tests.handmade import polster
from tests.quality.daemon import READY, wait_for

pytestmark = pytest.mark.slow

SILVER = "def transform(sales: pl.LazyFrame) -> pl.LazyFrame:\n    return sales\n"
GRAPH = """{ assetNodes {
  assetKey { path } repository { location { name } } dependencyKeys { path } isExecutable
} }"""
STARTED = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name scheduleState { status } }
} } } }"""
RUNS = {"schedules": [{"name": "bronze_daily", "scheduleState": {"status": "RUNNING"}}]}
NO_PATH = {"PYTHONPATH": "", "DAGSTER_GRPC_TIMEOUT_SECONDS": "600"}
"""Each environment finds its own project, as one that is installed."""


def with_environment(project: Generated) -> Generated:
    """Give a project a .venv of its own, which shares the packages of the tests' runtime."""
    folder = project.root / ".venv"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    shared = next(project.interpreter.parents[1].glob("lib/python*/site-packages"))
    lines = (project.root / "src", shared)
    (packages / "own.pth").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return replace(project, interpreter=folder / "bin" / "python", cold=True)


def done(folder: Path, *args: str) -> None:
    ran = polster(folder, *args)
    assert ran.code == 0, ran.err


def asked(address: str, query: str) -> Any:
    """Ask Dagster through GraphQL."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(  # noqa: S310
        f"{address}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)["data"]


def wait_until_loaded(address: str) -> Mapping[str, Any]:
    """Wait for both code locations; return the assets that run, by their keys."""

    def found() -> dict[str, Any]:
        return {
            "/".join(node["assetKey"]["path"]): node
            for node in asked(address, GRAPH)["assetNodes"]
            if node["isExecutable"]
        }

    wait_for(lambda: {one.partition("/")[0] for one in found()} == {"crm", "shop"})
    return found()


def test_p5_two_projects_in_one_dagster(tmp_path: Path, project: MakeProject) -> None:
    crm, shop = with_environment(project("crm")), with_environment(project("shop"))
    named = (crm.root / "pyproject.toml").read_text("utf-8").replace('"shop"', '"crm"', 1)
    crm.write({"pyproject.toml": named})
    done(tmp_path, "workspace", "add", "crm", "--key-prefix", "crm")
    done(tmp_path, "workspace", "add", "shop", "--key-prefix", "shop")
    done(
        shop.root,
        *("add-asset", "--layer", "bronze", "--name", "sales"),
        *("--template", "project", "--from", "../crm:gold_example"),
    )
    shop.add("silver_sales", SILVER, ["bronze_sales"])
    shop.write({".env": "DATA_DIR=of-the-shop\nBRONZE_CRON=0 0 1 1 *\n"})
    crm.write({".env": "BRONZE_CRON=0 0 1 1 *\n"})

    process = shop.start("run_polster.py", "--no-materialize", "--ui", env=NO_PATH)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith(READY), line
        address = line.removeprefix(READY).partition("/asset-groups")[0]
        nodes = wait_until_loaded(address)
        assert asked(address, STARTED)["repositoriesOrError"]["nodes"] == [RUNS, RUNS]
        ran = crm.run("--select", "layer:bronze", env=NO_PATH)
        assert ran.returncode == 0, told(ran)
        # What follows is the daemon's: crm's eager chain, and the chain of the shop behind it.
        folder = shop.root / "of-the-shop/silver/sales"
        wait_for(lambda: any(folder.glob("*.parquet")))
        process.terminate()
        process.wait(TIMEOUT)
    finally:
        process.kill()
        process.communicate()

    parents = {
        key: {"/".join(up["path"]) for up in node["dependencyKeys"]} for key, node in nodes.items()
    }
    assert parents["shop/run_bronze_sales"] == {"crm/run_gold_example"}
    assert parents["crm/run_gold_example"] == {"crm/run_silver_example"}
    locations = {key: node["repository"]["location"]["name"] for key, node in nodes.items()}
    assert all(key.startswith(f"{name}/") for key, name in locations.items())
    assert (tmp_path / ".dagster/history").is_dir()
    for root in (crm.root, shop.root):
        assert not (root / ".dagster/history").exists()
    assert not (shop.root / "data/bronze/sales").exists()
    assert not (crm.root / "of-the-shop").exists()
    assert state(crm)["crm/run_gold_example"] == "fresh"
    found = state(shop)
    assert (found["shop/run_bronze_sales"], found["shop/run_silver_sales"]) == ("fresh", "fresh")
    assert found["crm/run_gold_example"] == "fresh"
    assert found["shop/run_bronze_example"] == "never"


def state(project: Generated) -> dict[str, str]:
    """Return the states of a project's assets."""
    ran: subprocess.CompletedProcess[str] = project.run("--status", "--json", env=NO_PATH)
    assert ran.returncode == 0, told(ran)
    return {one["key"]: one["status"] for one in json.loads(ran.stdout)["assets"]}
