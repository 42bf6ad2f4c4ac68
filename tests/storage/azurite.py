"""Azurite, Microsoft's emulator of Azure storage, and proxies that make it fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from tests.services import free_port, wait_for

ACCOUNT = "devstoreaccount1"
# The emulator's own key, the same on every machine, printed in Microsoft's documentation.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "3.35.0"
_READY_SECONDS = 300.0
_SAS_VERSION = "2021-12-02"


@dataclass(frozen=True)
class Azurite:
    """A running emulator."""

    port: int

    @property
    def endpoint(self) -> str:
        """Return the address of its account."""
        return endpoint(self.port)

    def variables(self, container: str, **changed: str) -> dict[str, str]:
        """Return the ADLS_ variables of a container, by key unless another way is given."""
        return {
            "STORAGE_BACKEND": "adls",
            "ADLS_ACCOUNT_NAME": ACCOUNT,
            "ADLS_CONTAINER": container,
            "ADLS_ENDPOINT": self.endpoint,
            **(changed or {"ADLS_ACCOUNT_KEY": KEY}),
        }

    def create(self, container: str) -> str:
        """Make a container."""
        status = self._request("PUT", f"/{container}", {"restype": "container"})
        assert status == 201, status
        return container

    def connection_string(self) -> str:
        """Return what the portal would show."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.endpoint};"
        )

    def _request(self, method: str, path: str, query: Mapping[str, str]) -> int:
        """Send a request that is signed with an account SAS."""
        import urllib.request

        url = f"{self.endpoint}{path}?{urlencode(query)}&{account_sas()}"
        request = urllib.request.Request(url, method=method, data=b"")  # noqa: S310 - http
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)


def endpoint(port: int) -> str:
    """Return the address of the account at a port."""
    return f"http://127.0.0.1:{port}/{ACCOUNT}"


def account_sas() -> str:
    """Return a signature for everything in the account, for an hour."""
    expiry = _time(hours=1)
    fields = {"sp": "rwdlac", "ss": "b", "srt": "sco", "st": "", "se": expiry}
    text = "\n".join([ACCOUNT, *fields.values(), "", "https,http", _SAS_VERSION, "", ""])
    signed = {**fields, "spr": "https,http", "sv": _SAS_VERSION, "sig": _signature(text)}
    return urlencode({name: value for name, value in signed.items() if value})


def sas(container: str, permissions: str = "racwdl", hours: float = 1) -> str:
    """Return a signature for a container; with negative hours it has expired."""
    expiry = _time(hours=hours)
    resource = f"/blob/{ACCOUNT}/{container}"
    text = "\n".join(
        [permissions, "", expiry, resource, "", "", "https,http", _SAS_VERSION, "c"] + [""] * 7
    )
    signed = {"sp": permissions, "se": expiry, "spr": "https,http", "sv": _SAS_VERSION, "sr": "c"}
    return urlencode({**signed, "sig": _signature(text)})


def _time(*, hours: float) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def _signature(text: str) -> str:
    digest = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def installed(folder: Path) -> Path:
    """Return the emulator's script, installed with npm into a folder that later runs find again."""
    script = folder / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not script.exists():
        npm = shutil.which("npm")
        assert npm, "the tests need Node.js and npm"
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", f"azurite@{VERSION}"]
        done = subprocess.run(
            [*command, "--prefix", str(folder)],
            check=False,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
    return script


@contextmanager
def running(script: Path, data: Path) -> Iterator[Azurite]:
    """Run the emulator on a free port."""
    node = shutil.which("node")
    assert node
    port = free_port()
    data.mkdir(parents=True, exist_ok=True)
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "-l", str(data)]
    quiet = ["--disableTelemetry", "--skipApiVersionCheck", "--silent"]
    with (data / "azurite.log").open("wb") as log:
        process = subprocess.Popen(
            [node, str(script), *where, *quiet],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ,
        )
        try:
            wait_for(port, process)
            yield Azurite(port)
        finally:
            process.terminate()
            process.wait(30)
