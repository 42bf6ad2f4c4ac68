"""A web server for tests: every pagination, every authentication, every fault.

with serving() as api:
    api.routes["/orders"] = pages("cursor", rows, size=3)
    api.faults += [Answer(500), Answer(429, headers={"Retry-After": "0"})]
    ... api.url("/orders") ...
    assert [asked.query["cursor"] for asked in api.asked] == [...]
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came; `body` is its JSON, or a form as text."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    at: str = ""
    """The address of the server, as its client knows it."""


@dataclass(frozen=True)
class Answer:
    """A response. A `body` that is no bytes is sent as JSON; an iterator in chunks."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Whether the connection ends in the middle of the body."""
    wait: threading.Event | None = None
    """What to wait for before the answer."""


Route = Callable[[Asked], Answer]


class Api(ThreadingHTTPServer):
    """The server: what it answers, and what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen at a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes: dict[str, Route] = {}
        self.faults: list[Answer] = []
        """Answers in place of the next ones."""
        self.asked: list[Asked] = []
        self.allows: Callable[[Asked], bool] = lambda _: True
        self.broken = threading.Event()
        """Set at the end, so that nobody waits."""

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    def answer(self, asked: Asked) -> Answer:
        """Return what the server says to a request."""
        self.asked.append(asked)
        if self.faults:
            return self.faults.pop(0)
        route = self.routes.get(asked.path)
        if route is None:
            return Answer(404, {"message": "no such thing"})
        if not self.allows(asked):
            return Answer(401, {"message": "who are you?"})
        return route(asked)

    def handle_error(self, *_: object) -> None:
        """Say nothing when a client has gone away."""


class _Handler(BaseHTTPRequestHandler):
    server: Api
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        asked = Asked(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): text for name, text in self.headers.items()},
            _body(data),
            self.server.url(""),
        )
        self._send(self.server.answer(asked))

    do_POST = do_GET  # noqa: N815 - named by the library

    def _send(self, answer: Answer) -> None:
        if answer.wait:
            answer.wait.wait(60)
        body = answer.body if isinstance(answer.body, bytes | Iterator) else _json(answer.body)
        self.send_response(answer.status)
        for name, text in ({"Content-Type": "application/json"} | dict(answer.headers)).items():
            self.send_header(name, text)
        if isinstance(body, bytes):
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self._write(body, cut=answer.cut)

    def _write(self, body: bytes | Iterator[bytes], *, cut: bool) -> None:
        if isinstance(body, bytes):
            self.wfile.write(body[: len(body) // 2] if cut else body)
        else:
            for chunk in body:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            self.wfile.write(b"" if cut else b"0\r\n\r\n")
        if cut:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _body(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode()


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


@contextmanager
def serving() -> Iterator[Api]:
    """Serve for the time of a block."""
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield api
        finally:
            api.broken.set()
            api.shutdown()
            thread.join()


def pages(kind: str, rows: Sequence[Row], *, size: int = 2) -> Route:
    """Return a route that gives rows page by page; `rows` may grow meanwhile.

    `since` and `until` choose rows by their `id`; `limit` is the size of a page, at most `size`.
    """

    def route(asked: Asked) -> Answer:
        given = {**asked.query, **(asked.body if isinstance(asked.body, dict) else {})}
        found = [row for row in tuple(rows) if row["id"] >= int(given.get("since", 0))]
        return _PAGES[kind](found, min(size, int(given.get("limit", size))), given, asked)

    return route


def _link(rows: list[Row], size: int, given: Row, asked: Asked) -> Answer:
    at = int(given.get("at", 0))
    following = f'<{asked.at}{asked.path}?at={at + size}{_since(given)}>; rel="next"'
    header = {"Link": following} if at + size < len(rows) else {}
    return Answer(200, rows[at : at + size], header)


def _next_url(rows: list[Row], size: int, given: Row, asked: Asked) -> Answer:
    at = int(given.get("at", 0))
    following = f"{asked.path}?at={at + size}{_since(given)}" if at + size < len(rows) else None
    return Answer(200, {"links": {"next": following}, "data": rows[at : at + size]})


def _since(given: Row) -> str:
    return f"&since={given['since']}" if "since" in given else ""


def _cursor(rows: list[Row], size: int, given: Row, _: Asked) -> Answer:
    after = int(given.get("cursor", -1))
    rest = [row for row in rows if row["id"] > after]
    following = str(rest[size - 1]["id"]) if len(rest) > size else None
    return Answer(200, {"items": rest[:size], "meta": {"next_cursor": following}})


def _page(rows: list[Row], size: int, given: Row, _: Asked) -> Answer:
    number = int(given.get("page", 1))
    found = rows[(number - 1) * size : number * size]
    pages_ = -(-len(rows) // size)
    return Answer(200, {"results": found, "meta": {"page": number, "total_pages": pages_}})


def _offset(rows: list[Row], size: int, given: Row, _: Asked) -> Answer:
    at = int(given.get("offset", 0))
    return Answer(200, {"records": rows[at : at + size], "offset": at, "total": len(rows)})


def _plain_page(rows: list[Row], size: int, given: Row, _: Asked) -> Answer:
    number = int(given.get("page", 1))
    return Answer(200, rows[(number - 1) * size : number * size])


def _plain_offset(rows: list[Row], size: int, given: Row, _: Asked) -> Answer:
    at = int(given.get("offset", 0))
    return Answer(200, rows[at : at + size])


def _last_record(rows: list[Row], size: int, given: Row, _: Asked) -> Answer:
    rest = [row for row in rows if row["id"] > int(given.get("starting_after", 0))]
    return Answer(200, {"data": rest[:size], "has_more": len(rest) > size})


_PAGES: Mapping[str, Callable[[list[Row], int, Row, Asked], Answer]] = {
    "link": _link,
    "next-url": _next_url,
    "cursor": _cursor,
    "page": _page,
    "offset": _offset,
    "last-record": _last_record,
    "plain-page": _plain_page,
    "plain-offset": _plain_offset,
}


def lines(rows: Iterable[Row]) -> bytes:
    """Return rows as NDJSON."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def zipped(rows: Iterable[Row]) -> Answer:
    """Return rows in a compressed answer."""
    body = gzip.compress(json.dumps(list(rows)).encode())
    return Answer(200, body, {"Content-Encoding": "gzip"})
