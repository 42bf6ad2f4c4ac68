"""EXECUTOR=k8s: dagster-k8s against a stand-in of the API server that runs Jobs as processes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.engines.cluster import TIMEOUT, Cluster, cluster, runs, shop, wait_until
from tests.postgres import running
from tests.services import wait_for

pytestmark = pytest.mark.slow

DROPPED = 8
"""Two looks at a Job: the client asks four times each."""


@contextmanager
def kubernetes(folder: Path) -> Iterator[Cluster]:
    """Make a project for a Kubernetes that does not run yet; the history is a Secret of pods."""
    with running() as server, cluster("k8s", shop(folder, "k8s"), server) as made:
        config = folder / "kubeconfig.yaml"
        named = {"cluster": "x", "user": "x", "namespace": "default"}
        config.write_text(
            json.dumps(
                {
                    "current-context": "x",
                    "clusters": [{"name": "x", "cluster": {"server": address(made)}}],
                    "users": [{"name": "x", "user": {}}],
                    "contexts": [{"name": "x", "context": named}],
                }
            ),
            "utf-8",
        )
        environment = {
            **made.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PROJECT_ROOT": str(made.root),
            "DAGSTER_HOME": str(made.root / ".dagster"),
            "MANY_SOURCES": "1",
            "POD_DAGSTER_POSTGRES_URL": made.environment["DAGSTER_POSTGRES_URL"],
            "POD_MANY_SOURCES": "1",
            "K8S_KUBECONFIG": str(config),
            "K8S_IMAGE": "shop",
            "SILENT_SECONDS": str(TIMEOUT),
        }
        yield replace(made, environment=environment)


def start(of: Cluster) -> None:
    """Start the stand-in for Kubernetes."""
    program = Path(__file__).with_name("fake_k8s.py")
    wait_for(of.port, of.start(sys.executable, program, str(of.port), str(DROPPED)))


def address(of: Cluster) -> str:
    """Return where the API server is."""
    return f"http://127.0.0.1:{of.port}"


def pods(of: Cluster) -> dict[str, int]:
    """Return the processes of the pods that run."""
    found: dict[str, int] = requests.get(f"{address(of)}/_pids", timeout=TIMEOUT).json()
    return found


def test_an_api_server_that_is_away_a_killed_pod_and_a_terminated_run(tmp_path: Path) -> None:
    with kubernetes(tmp_path) as made, runs(made) as carried_out:
        said = carried_out.doctor()["error"]
        assert said.startswith(f"no API server of Kubernetes answers at {address(made)}; ")
        done = carried_out.run("bronze_s00")
        assert (done["status"], done["tries"]) == ("FAILURE", {})
        assert said in str(done["errors"][""])

        start(made)
        assert carried_out.doctor() == {
            "API server": f"ok: Kubernetes stand-in at {address(made)}",
            "Jobs": "ok: may be made in the namespace default",
        }
        made.order(bronze_s00="kill")
        done = carried_out.run("bronze_s00")
        assert requests.get(f"{address(made)}/_dropped", timeout=TIMEOUT).json() == 0
        assert done["status"] == "SUCCESS", done
        assert done["tries"] == {"bronze_s00": 2}
        assert made.rows("bronze", 0) == [(0, 0), (0, 1), (0, 2)]

        made.order(bronze_s00="300")
        carried_out.begin("cancel", "STEP_START", "bronze_s00", "silver_s00")
        done = carried_out.end()
        assert done["status"] == "CANCELED"
        assert "silver_s00" not in done["steps"]
        wait_until(lambda: not pods(made))
        assert len(made.files("bronze", 0)) == 1
