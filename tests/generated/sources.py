"""Sources that the examples of the README read: a workbook, a web API, a database."""

from __future__ import annotations

import json
import sqlite3
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(path: Path, sheet: str, rows: Sequence[Sequence[object]]) -> None:
    """Write the smallest workbook that there is: one sheet of text."""
    cells = [[f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row] for row in rows]
    lines = "".join(f"<row>{''.join(row)}</row>" for row in cells)
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="rels" ContentType="application/'
        'vnd.openxmlformats-package.relationships+xml"/><Override PartName="/workbook.xml" '
        f'ContentType="{_TYPES}.sheet.main+xml"/><Override PartName="/sheet1.xml" '
        f'ContentType="{_TYPES}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="workbook.xml"/></Relationships>',
        "_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
        f'Type="{_OFFICE}/worksheet" Target="sheet1.xml"/></Relationships>',
        "workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet '
        f'name="{sheet}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


def leads(database: Path, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows to the table of leads."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table if not exists leads (id, name, value, created)")
        connection.executemany("insert into leads values (?, ?, ?, ?)", rows)


@dataclass
class Helpdesk:
    """A web API with pages, a token and a `since`."""

    page_size: int
    token: str = field(default_factory=token_hex)
    url: str = ""
    tickets: list[dict[str, Any]] = field(default_factory=list)
    since: list[str] = field(default_factory=list)
    """The `since` of each first page that was asked for."""

    def answer(self, path: str, authorization: str | None) -> tuple[int, object]:
        """Return the status and the body of an answer."""
        if authorization != f"Bearer {self.token}":
            return 401, {"error": "who are you?"}
        asked = parse_qs(urlsplit(path).query, keep_blank_values=True)
        page, since = int(asked["page"][0]), asked["since"][0]
        if page == 1:
            self.since.append(since)
        found = [ticket for ticket in self.tickets if ticket["updated_at"] > since]
        return 200, {"tickets": found[(page - 1) * self.page_size : page * self.page_size]}


@contextmanager
def helpdesk(*, page_size: int) -> Iterator[Helpdesk]:
    """Serve the API on this machine while the block runs."""
    desk = Helpdesk(page_size)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = desk.answer(self.path, self.headers["Authorization"])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        desk.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield desk
        finally:
            server.shutdown()
