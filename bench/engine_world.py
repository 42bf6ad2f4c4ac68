"""A cluster whose processes are killed, and one of whose two workers is in a network of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress

from tests.engines.cluster import Cluster
from tests.postgres import Server

HERE, THERE = (f"10.77.{os.getpid() % 250}.{number}" for number in (1, 2))
"""Two of these scripts may run at once."""


class Host:
    """A worker in a network of its own, which can be cut off."""

    def __init__(self, stack: ExitStack, ports: list[int]) -> None:
        """Make the network; what listens on some ports here is there at HERE."""
        self.name = f"polster{os.getpid()}"
        link = f"p{os.getpid()}"
        stack.callback(run_quietly, "ip", "netns", "delete", self.name)
        for line in (
            f"ip netns add {self.name}",
            f"ip link add {link} type veth peer name {link}w netns {self.name}",
            f"ip address add {HERE}/24 dev {link}",
            f"ip link set {link} up",
            f"ip -n {self.name} address add {THERE}/24 dev {link}w",
            f"ip -n {self.name} link set {link}w up",
            f"ip -n {self.name} link set lo up",
        ):
            subprocess.run(line.split(), check=True)
        self.link = link
        for port in ports:
            threading.Thread(target=forward, args=(port,), daemon=True).start()

    def cut(self, *, off: bool) -> None:
        """Take the network away, or give it back."""
        # A round may be over before what was cut off comes back.
        subprocess.run(["ip", "link", "set", self.link, "down" if off else "up"], check=off)


def run_quietly(*command: str) -> None:
    """Run a command that may fail."""
    subprocess.run(command, check=False, capture_output=True)


def forward(port: int) -> None:
    """Pass on what comes for a port from the other network."""
    server = socket.create_server((HERE, port))
    while True:
        outer, _ = server.accept()
        try:
            inner = socket.create_connection(("127.0.0.1", port))
        except OSError:
            outer.close()
            continue
        for one, other in ((outer, inner), (inner, outer)):
            threading.Thread(target=copy, args=(one, other), daemon=True).start()


def copy(one: socket.socket, other: socket.socket) -> None:
    """Copy what a socket says to another, until one of them ends."""
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class World:
    """A cluster whose workers are started again when they end, as systemd does."""

    def __init__(self, hub: Cluster, server: Server, stack: ExitStack) -> None:
        """Start all."""
        self.hub, self.server, self.ended = hub, server, False
        self.workers: list[subprocess.Popen[bytes] | None] = [None, None]
        self.host = Host(stack, [hub.port, server.port])
        stack.callback(self.end)
        hub.start_hub()
        for number in range(2):
            threading.Thread(target=self._keep, args=(number,), daemon=True).start()

    def end(self) -> None:
        """Start nothing more."""
        self.ended = True
        for worker in self.workers:
            if worker:
                worker.kill()

    def kill(self, number: int) -> None:
        """Kill a worker, which is started again."""
        worker = self.workers[number]
        if worker:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)

    def restart_hub(self, seconds: float) -> None:
        """Kill the scheduler or broker, and start it again."""
        if self.hub.hub:
            self.hub.hub.kill()
            self.hub.hub.wait()
        time.sleep(seconds)
        self.hub.start_hub()

    def _keep(self, number: int) -> None:
        words = [sys.executable, "-m", "polster_runtime", "worker", "--at-once", "4"]
        environment = dict(self.hub.environment)
        if number:
            words = ["ip", "netns", "exec", self.host.name, *words]
            for name in ("DASK_SCHEDULER_ADDRESS", "CELERY_BROKER_URL", "DAGSTER_POSTGRES_URL"):
                environment[name] = environment[name].replace("127.0.0.1", HERE)
        while not self.ended:
            self.workers[number] = self.hub.start(*words, env=environment)
            self.workers[number].wait()  # type: ignore[union-attr]
            time.sleep(1)
