"""A proxy in front of a server that forwards, fails as a network does, and counts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_PIECE = 2**16

BUSY = (
    b"HTTP/1.1 503 Server Busy\r\nx-ms-error-code: ServerBusy\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)
TOO_MANY = (
    b"HTTP/1.1 429 Too Many Requests\r\nx-ms-error-code: TooManyRequests\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


@dataclass
class Proxy:
    """How a proxy behaves, which a test may change while it runs, and what it has seen."""

    target: int
    port: int = 0
    silent: bool = False
    """Accept, read, and never answer."""
    answers: list[bytes] = field(default_factory=list)
    """What to answer in place of the server, one a connection; the first for ever if `always`."""
    always: bool = False
    dies_after: int | None = None
    """Break every connection that has sent so many bytes."""
    refusing: bool = False
    """Break every connection at once."""
    sent: int = 0
    received: int = 0
    """Bytes from the server to its clients."""

    def answer(self) -> bytes | None:
        """Return what to answer in place of the server, if anything."""
        if not self.answers:
            return None
        return self.answers[0] if self.always else self.answers.pop(0)


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy in front of a port of this machine."""
    found = Proxy(target)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        found.port = server.getsockname()[1]
        threading.Thread(target=_serve, args=(server, found), daemon=True).start()
        try:
            yield found
        finally:
            found.refusing = True
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket, found: Proxy) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_handle, args=(client, found), daemon=True).start()


def _handle(client: socket.socket, found: Proxy) -> None:
    with client, suppress(OSError):
        if found.refusing:
            return
        if found.silent:
            while client.recv(_PIECE):
                pass
        elif (answer := found.answer()) is not None:
            client.recv(_PIECE)
            client.sendall(answer)
        else:
            with socket.create_connection(("127.0.0.1", found.target)) as server:
                _forward(client, server, found)


def _forward(client: socket.socket, server: socket.socket, found: Proxy) -> None:
    passed = 0

    def sent(size: int) -> bool:
        nonlocal passed
        passed += size
        found.sent += size
        return found.dies_after is None or passed < found.dies_after

    def received(size: int) -> bool:
        found.received += size
        return True

    back = threading.Thread(target=_copy, args=(server, client, received, found), daemon=True)
    back.start()
    _copy(client, server, sent, found)
    back.join()


def _copy(
    source: socket.socket, target: socket.socket, count: Callable[[int], bool], found: Proxy
) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            if found.refusing or not count(len(piece)):
                break
            if found.silent:
                continue
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
