"""What may be wrong on the way to Azure, step by step."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from polster_runtime.config.settings import load
from polster_runtime.errors import Unreachable
from polster_runtime.storage.backends.adls.access import CONNECT_SECONDS, Access
from polster_runtime.storage.backends.adls.data_lake import DataLake
from polster_runtime.storage.backends.adls.errors import MissingContainer


def diagnose() -> Iterator[tuple[str, Callable[[], str]]]:
    """The steps before a store is open, each with what does it."""

    def known() -> str:
        access = load(Access)
        return f"account {access.account}, container {access.adls_container}, {access.how}"

    def resolves() -> str:
        host, port = _address(load(Access))
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreachable(
                f"{host} does not resolve ({error.strerror}); check ADLS_ACCOUNT_NAME, the DNS, "
                "and the private endpoint if there is one"
            ) from None
        return f"{host} is {found[0][4][0]}"

    def connects() -> str:
        host, port = _address(load(Access))
        try:
            with socket.create_connection((host, port), timeout=CONNECT_SECONDS):
                return f"port {port} is open"
        except OSError as error:
            raise Unreachable(
                f"{host}:{port} cannot be reached ({error.strerror or error}); check the proxy and "
                "the firewall here, and Networking of the storage account"
            ) from None

    def authenticates() -> str:
        access = load(Access)
        with suppress(MissingContainer):  # the next step says so
            DataLake.open(access).reach()
        return f"{access.how} is accepted"

    def container() -> str:
        DataLake.open(load(Access)).reach()
        return "it exists"

    yield "settings", known
    yield "name resolves", resolves
    yield "connects", connects
    yield "authenticates", authenticates
    yield "container", container


def _address(access: Access) -> tuple[str, int]:
    parts = urlsplit(access.endpoint)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
