"""A stand-in for Kubernetes that runs Jobs as processes of this machine: for tests of dagster-k8s.

    python fake_k8s.py PORT DROPPED

It knows what dagster-k8s asks for: Jobs of batch/v1 and Pods of v1; no scheduling, images or
volumes. A pod has the environment of its container, and the variables of this process that KEEP
names. `GET /_pids` tells the processes of the pods that run, by the names of their Jobs. The first
DROPPED questions after the status of a Job get no answer; `GET /_dropped` tells how many are left.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEEP = ("PATH", "HOME", "LANG", "PYTHONPATH", "PROJECT_ROOT", "DAGSTER_HOME", "POD_")
"""The last is how the names begin of variables that a pod gets without it: those of a Secret."""
ROUTE = re.compile(r"/(?:api/v1|apis/batch/v1)/namespaces/([^/]+)/([a-z]+)(?:/([^/]+))?(/\w+)?$")
KINDS = {"pods": "Pod", "jobs": "Job", "events": "Event"}
NAMES = ("major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion")
VERSION = dict.fromkeys((*NAMES, "compiler", "platform"), "stand-in")
Item = dict[str, Any]


def now() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """The Jobs, and the pods with their processes."""

    def __init__(self) -> None:
        """Have none."""
        self.dropped = int(sys.argv[2])
        self.lock = threading.RLock()
        self.items: dict[str, dict[str, Item]] = {kind: {} for kind in KINDS}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def create(self, kind: str, body: Item) -> Item:
        """Add an item; a Job gets a pod that runs."""
        told = body.setdefault("metadata", {})
        told.setdefault("name", f"{told.get('generateName', 'x-')}{uuid.uuid4().hex[:5]}")
        told |= {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "resourceVersion": "1"}
        body |= {"kind": KINDS[kind], "apiVersion": "batch/v1" if kind == "jobs" else "v1"}
        self.items[kind][told["name"]] = body
        if kind == "jobs":
            self._run(body)
        return body

    def delete(self, kind: str, name: str) -> None:
        """Forget an item; its pods are told to end, as the kubelet does."""
        self.items[kind].pop(name)
        for pod in list(self.items["pods"].values()):
            if name in {pod["metadata"]["name"], pod["metadata"]["labels"]["job-name"]}:
                process = self.processes[pod["metadata"]["name"]]
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)

    def _run(self, job: Item) -> None:
        template = job["spec"]["template"]
        container = template["spec"]["containers"][0]
        labels = {**template["metadata"].get("labels", {}), "job-name": job["metadata"]["name"]}
        state: Item = {"name": container["name"], "ready": True, "restartCount": 0, "image": ""}
        state |= {"imageID": "", "state": {"running": {"startedAt": now()}}}
        status = {"phase": "Running", "startTime": now(), "containerStatuses": [state]}
        told = {"generateName": f"{job['metadata']['name']}-", "labels": labels}
        pod = self.create("pods", {"metadata": told, "spec": template["spec"], "status": status})
        kept = {name: text for name, text in os.environ.items() if name in KEEP[:-1]}
        secret = {n.removeprefix("POD_"): t for n, t in os.environ.items() if n.startswith("POD_")}
        own = {one["name"]: one.get("value", "") for one in container.get("env") or []}
        process = subprocess.Popen(
            [*(container.get("command") or []), *(container.get("args") or [])],
            env={**kept, **secret, **own, "HOSTNAME": pod["metadata"]["name"]},
            cwd=os.environ.get("PROJECT_ROOT"),
            start_new_session=True,
        )
        self.processes[pod["metadata"]["name"]] = process
        job["status"] = {"active": 1, "startTime": now()}
        threading.Thread(target=self._watch, args=(job, pod, process), daemon=True).start()

    def _watch(self, job: Item, pod: Item, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        with self.lock:
            pod["status"]["phase"] = "Failed" if code else "Succeeded"
            ended = {"exitCode": abs(code), "reason": "Error" if code else "Completed"}
            pod["status"]["containerStatuses"][0]["state"] = {"terminated": ended}
            job["status"] = {"failed": 1} if code else {"succeeded": 1, "completionTime": now()}

    def pids(self) -> dict[str, int]:
        """Return the processes of the pods that run, by the names of their Jobs."""
        return {
            pod["metadata"]["labels"]["job-name"]: self.processes[name].pid
            for name, pod in self.items["pods"].items()
            if self.processes[name].poll() is None
        }


def chosen(items: list[Item], query: dict[str, list[str]]) -> list[Item]:
    """Return the items that a label selector names: a=b, several separated by commas."""
    for part in ",".join(query.get("labelSelector", [])).split(","):
        key, _, value = part.replace("==", "=").partition("=")
        if key:
            items = [one for one in items if one["metadata"].get("labels", {}).get(key) == value]
    return items


class Api(BaseHTTPRequestHandler):
    """The API server."""

    protocol_version = "HTTP/1.1"
    world: World

    def do_GET(self) -> None:
        """Show, list, create or delete."""
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        with self.world.lock:
            if url.path == "/_pids":
                self._reply(200, self.world.pids())
            elif url.path == "/version/":
                self._reply(200, VERSION)
            elif url.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
                self._reply(201, {**body, "status": {"allowed": True}})
            elif url.path == "/_dropped":
                self._reply(200, self.world.dropped)
            elif url.path.endswith("/status") and self.world.dropped:
                self.world.dropped -= 1
                self.close_connection = True
            elif found := ROUTE.match(url.path):
                self._reply(*self._answer(found, parse_qs(url.query), body))
            else:
                self._reply(404, {"kind": "Status", "code": 404})

    do_POST = do_DELETE = do_GET  # noqa: N815 - the names of http.server

    def _answer(
        self, found: re.Match[str], query: dict[str, list[str]], body: Item
    ) -> tuple[int, Any]:
        _, kind, name, part = found.groups()
        items = self.world.items[kind]
        if self.command == "POST":
            if body.get("metadata", {}).get("name") in items:
                return 409, {"kind": "Status", "code": 409, "reason": "AlreadyExists"}
            return 201, self.world.create(kind, body)
        if name is None:
            listed = chosen(list(items.values()), query)
            return 200, {"kind": f"{KINDS[kind]}List", "metadata": {}, "items": listed}
        if name not in items:
            return 404, {"kind": "Status", "code": 404, "reason": "NotFound"}
        if self.command == "DELETE":
            self.world.delete(kind, name)
            return 200, {"kind": "Status", "status": "Success"}
        return 200, "" if part == "/log" else items[name]

    def _reply(self, code: int, what: Any) -> None:
        text = json.dumps(what).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until the end."""
    Api.world = World()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Api)
    server.serve_forever()


if __name__ == "__main__":
    main()
