"""moto's S3 on a port of this machine: `python server.py PORT`, until its stdin is closed.

S3 decides about `If-None-Match: *` and writes in one step; moto looks first and writes then. So
requests that write wait for each other here. Two things that happen to real ones can be had: the
first answer to each write below `/lost/` is a failure although the file is there, and a bucket
called `old` is one of a server that does not know `If-None-Match`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from threading import Lock, Thread
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_MOTO = DomainDispatcherApplication(create_backend_app)
_WRITING = Lock()
_LOST: set[str] = set()


def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer one request."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method in {"GET", "HEAD"}:
        return _answer(environ, start)
    if path.startswith("/old/"):
        environ.pop("HTTP_IF_NONE_MATCH", None)
    with _WRITING:
        answer = _answer(environ, start)
    if "/lost/" in path and method == "PUT" and path not in _LOST:
        _LOST.add(path)
        raise RuntimeError
    return answer


def _answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    answer: Iterable[bytes] = _MOTO(environ, start)
    return answer


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    Thread(target=_end_with_parent, daemon=True).start()
    where = ("127.0.0.1", int(sys.argv[1]))
    run_simple(*where, application, threaded=True, request_handler=MotoRequestHandler)
