"""A vault of Azure: its REST API over TLS, and the endpoint that gives a machine its identity.

https://learn.microsoft.com/rest/api/keyvault/secrets
"""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-the-machine"  # noqa: S105 - of nobody
PAGE = 2
"""How many secrets a page of the list has."""


@dataclass
class Vault:
    """What a vault holds, and what it was asked."""

    secrets: dict[str, str]
    disabled: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    """The paths that this identity may not read."""
    asked: list[tuple[str, bool]] = field(default_factory=list)
    """Each path, and whether the request had a token."""
    url: str = ""
    identity: str = ""
    authority: Path = Path()


@contextmanager
def served(vault: Vault, folder: Path) -> Iterator[Vault]:
    """Serve a vault, and the identity, while the block lasts."""
    vault.authority = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "vault.pem", folder / "vault.key")
    with _server(_vault_handler(vault)) as server, _server(_Identity) as identity:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        vault.url = f"https://127.0.0.1:{server.server_port}"
        vault.identity = f"http://127.0.0.1:{identity.server_port}/token"
        for one in (server, identity):
            threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield vault
        finally:
            server.shutdown()
            identity.shutdown()


def _server(handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)


class _Handler(BaseHTTPRequestHandler):
    def answer(self, status: int, body: Any, **headers: str) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Identity(_Handler):
    """The endpoint of managed identities, as App Service has it."""

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if self.headers["X-IDENTITY-HEADER"] != "header":
            self.answer(401, {"message": "no"})
            return
        expires, resource = int(time.time()) + 3600, asked["resource"][0]
        self.answer(
            200,
            {
                "access_token": TOKEN,
                "expires_on": str(expires),
                "resource": resource,
                "token_type": "Bearer",
            },
        )


def _vault_handler(vault: Vault) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            given = self.headers["Authorization"]
            vault.asked.append((parts.path, given is not None))
            if given != f"Bearer {TOKEN}":
                # A token goes to hosts below that of the resource alone: this one is below 0.0.1.
                resource = vault.url.replace("127.", "")
                challenge = (
                    f'Bearer authorization="https://login.microsoftonline.com/tenant", '
                    f'resource="{resource}"'
                )
                error = {"error": {"code": "Unauthorized", "message": "no token"}}
                self.answer(401, error, WWW_Authenticate=challenge)
            elif parts.path in vault.refuses:
                self.answer(403, {"error": {"code": "Forbidden", "message": f"{vault.secrets}"}})
            elif parts.path == "/secrets":
                self._list(int(parse_qs(parts.query).get("$skiptoken", ["0"])[0]))
            else:
                self._get(parts.path.removeprefix("/secrets/").strip("/"))

        def _list(self, first: int) -> None:
            names = sorted(vault.secrets)
            found = [
                {
                    "id": f"{vault.url}/secrets/{name}",
                    "attributes": {"enabled": name not in vault.disabled},
                }
                for name in names[first : first + PAGE]
            ]
            end = first + PAGE
            more = f"{vault.url}/secrets?api-version=7.5&$skiptoken={end}"
            self.answer(200, {"value": found, "nextLink": more if end < len(names) else None})

        def _get(self, name: str) -> None:
            named = {one.lower(): one for one in vault.secrets}
            if name.lower() not in named:
                error = {"code": "SecretNotFound", "message": f"no {name}"}
                self.answer(404, {"error": error})
                return
            value = vault.secrets[named[name.lower()]]
            self.answer(
                200,
                {
                    "value": value,
                    "id": f"{vault.url}/secrets/{name}/1",
                    "attributes": {"enabled": True},
                },
            )

    return Handler


def _certificate(folder: Path) -> Path:
    """Make a certificate of this machine, which is its own authority."""
    if (folder / "vault.pem").exists():
        return folder / "vault.pem"
    command = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=vault -addext "
        "subjectAltName=IP:127.0.0.1 -keyout vault.key -out vault.pem"
    )
    subprocess.run(["openssl", *command.split()], check=True, capture_output=True, cwd=folder)
    return folder / "vault.pem"
