"""Answers of an API: JSON in whatever form becomes records."""

import gzip
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import IO, Any

import ijson  # type: ignore[import-untyped]
import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from polster_runtime.errors import SourceError
from polster_runtime.sources.api.addresses import api_place
from polster_runtime.sources.api.envelope import API_BESIDE
from polster_runtime.sources.api.numbers import (
    ConstantError,
    ExactNumbers,
    RepeatedKeyError,
    UniqueKeys,
)
from polster_runtime.sources.api.paths import api_at
from polster_runtime.sources.api.rows import API_IN_MEMORY, api_file
from polster_runtime.sources.base import doubt

API_RECORDS = ("data", "items", "results", "records", "value", "rows", "entries", "content")
"""Where an answer has its records, if it does not say."""
API_MESSAGES = ("error_description", "message", "detail", "title", "error", "errors")
"""Where an answer that is an error says why."""


API_SAYS = {json.JSONDecodeError, ConstantError, RepeatedKeyError}
"""Errors whose text says what is wrong without showing more of an answer."""


class ApiAnswer:
    """One answer: its headers, and its body as a file."""

    def __init__(self, response: requests.Response, masked: Callable[[str], str]) -> None:
        self.status, self.url = response.status_code, response.url
        self.reason, self.headers = response.reason or "", response.headers
        self._masked = masked
        self.place = api_place(response.url)
        self.link = response.links.get("next", {}).get("url", "")
        self.body, self.path, self.count = api_file(), "", 0
        self.first: Any = None
        self.last: Any = None
        self.numbers = ExactNumbers()
        self._is_streamed = False
        self._records: Iterator[Any] = iter(())
        self._envelope: Callable[[], Any] = dict
        try:
            for chunk in response.iter_content(2**20):
                self.body.write(chunk)
            self._unpack()
        except BaseException:
            self.close()
            raise
        self.size = self.body.tell()
        self.body.seek(0)

    def close(self) -> None:
        self.body.close()

    @property
    def records(self) -> Iterator[dict[str, Any]]:
        """The records, once; one that is no object becomes {"value": …}."""
        try:
            for record in self._records:
                self.last = record if isinstance(record, dict) else {"value": record}
                self.first = self.last if self.first is None else self.first
                self.count += 1
                yield self.last
            if not self.count and self._is_streamed:
                raise SourceError(
                    f"{self.place}: no list of records at {self.path}; check `records`", final=True
                )
        except RecursionError:
            raise SourceError(
                f"{self.place}: record {self.count + 1} is nested too deeply", final=True
            ) from None
        except (ijson.JSONError, ValueError) as error:
            raise self._no_json(error, f"record {self.count + 1}") from None

    @cached_property
    def envelope(self) -> Any:
        """What there is beside the records."""
        return self._envelope()

    @property
    def retry_after(self) -> float | None:
        """The seconds of the header Retry-After, which may be a date."""
        text = self.headers.get("Retry-After")
        try:
            return Retry().parse_retry_after(text) if text else None
        except InvalidHeader:
            return None

    def repeats(self, before: "ApiAnswer") -> bool:
        """Whether its records are those of the page before."""
        mine, theirs = (
            (self.count, self.first, self.last),
            (before.count, before.first, before.last),
        )
        return self.count > 0 and mine == theirs

    @property
    def said(self) -> str:
        """What it says of an error, in one line."""
        if self.size > 2**16:
            return ""
        try:
            document = json.loads(self.body.read())
        except (ValueError, RecursionError):
            return ""
        return self._said(document, API_MESSAGES)

    def _said(self, document: Any, names: tuple[str, ...]) -> str:
        return self._masked(_api_said(document, names))[:200]

    def document(self) -> Any:
        """The whole body as one JSON document. Raises SourceError."""
        self._refuse_html()
        try:
            return self.numbers.loads(self.body.read())
        except ValueError as error:
            raise self._no_json(error) from None

    def find_records(self, path: str) -> None:
        """Find out what is a record; `path` says where they are, if anybody knows.

        Raises SourceError.
        """
        self._refuse_html()
        if not self.size:
            return
        if self._has_lines():
            self._records, self.path = map(self.numbers.loads, filter(bytes.strip, self.body)), "."
        elif self.size > API_IN_MEMORY:
            self._from_disk(path)
        else:
            try:
                document = self.document()
            except RecursionError:  # which of the records is nested that deeply?
                self.body.seek(0)
                self._from_disk(path)
            else:
                self._in_memory(document, path)

    def _in_memory(self, document: Any, path: str) -> None:
        self.path = path or _api_records_path(document, self.place)
        found = document if self.path == "." else api_at(document, self.path)
        said = self._said(document, ("error", "errors"))
        if said and not (found and isinstance(found, list)):
            raise SourceError(f"{self.place}: answered with an error: {said}")
        if said:
            doubt(f"{self.place}: answered with records, and with an error: {said}")
        if not isinstance(found, list):
            # Some leave out an empty list; but what it is in must be there.
            above = api_at(document, self.path.rpartition(".")[0])
            if not isinstance(found, dict | None) or not isinstance(above, dict):
                raise SourceError(
                    f"{self.place}: no list of records at {self.path}; check `records`", final=True
                )
            found = [] if found is None else [found]
        self._records = iter(found)
        self._envelope = lambda: document if isinstance(document, dict) else {}

    def _from_disk(self, path: str) -> None:
        try:
            self.path = path or _api_first_list(self.body)
        except ijson.JSONError as error:
            raise self._no_json(error) from None
        self.body.seek(0)
        prefix = "item" if self.path == "." else f"{self.path}.item"
        self._is_streamed = True
        self._records = map(self.numbers.exact, ijson.items(self.body, prefix, map_type=UniqueKeys))
        self._envelope = lambda: _api_beside(self.body, self.path)

    def _unpack(self) -> None:
        """Unpack a body that is itself a gzip file."""
        self.body.seek(0)
        if self.body.read(2) != b"\x1f\x8b":
            self.body.seek(0, 2)
            return
        self.body.seek(0)
        packed, self.body = self.body, api_file()
        with packed, gzip.open(packed) as unpacked:
            shutil.copyfileobj(unpacked, self.body)

    def _has_lines(self) -> bool:
        """Whether the body is a JSON document a line."""
        kind = self.headers.get("Content-Type", "").lower()
        if any(name in kind for name in ("ndjson", "jsonl", "jsonlines")):
            return True
        first, more = self.body.readline(2**20), self.body.read(2**10).strip()
        self.body.seek(0)
        if not more or not first.lstrip().startswith(b"{"):
            return False
        try:
            return isinstance(json.loads(first), dict)
        except (ValueError, RecursionError):
            return False

    def _refuse_html(self) -> None:
        start = self.body.read(1_024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        self.body.seek(0)
        if start.startswith(b"<"):
            what = "an HTML page" if b"<html" in start or b"<!doctype" in start else "XML"
            raise SourceError(
                f"{self.place}: answered with {what}, not with JSON; check `url` and `auth`: "
                "it may be a page to log in at",
                final=True,
            )

    def _no_json(self, error: Exception, where: str = "") -> SourceError:
        said = " ".join(str(error).split())[:100] if type(error) in API_SAYS else ""
        constant = re.search(r"-?\b(NaN|Infinity)\b", str(error))
        if constant:
            said = f"{constant[0]} is no number of JSON"
        why = f" ({', '.join(filter(None, (where, said)))})" if said else ""
        if isinstance(error, RepeatedKeyError):
            what = "cannot be read without losing a value"
            return SourceError(f"{self.place}: the answer {what}{why}", final=True)
        return SourceError(f"{self.place}: the answer is not valid JSON{why}; try it with curl")


def _api_records_path(document: Any, place: str) -> str:
    """Where the records of an answer are: the only list of objects, or one of a usual name."""
    if not isinstance(document, dict):
        return "."
    lists = dict(_api_lists(document))
    usual = {path: name for path in lists if (name := path.rpartition(".")[2]) in API_RECORDS}
    if usual:
        return min(usual, key=lambda path: (path.count("."), API_RECORDS.index(usual[path])))
    found = [path for path, items in lists.items() if items and isinstance(items[0], dict)]
    found = found or [path for path, items in lists.items() if not items]
    if len(found) > 1:
        raise SourceError(
            f"{place}: the records may be {' or '.join(found)}; say which with `records`",
            final=True,
        )
    empty = [name for name in API_RECORDS if name in document and document[name] is None]
    if not found and len(empty) == 1 and document.keys() <= {*empty, *API_BESIDE}:
        return empty[0]  # null in place of a list without records
    return found[0] if found else "."


def _api_lists(document: dict[str, Any], path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The lists of an answer, three levels deep, and where they are."""
    for name, value in document.items():
        here = f"{path}{name}"
        if isinstance(value, list) and name not in {"errors", "warnings"}:
            yield here, value
        elif isinstance(value, dict) and here.count(".") < 2:
            yield from _api_lists(value, f"{here}.")


def _api_beside(body: IO[bytes], path: str) -> Any:
    """A large answer without its records."""
    if path == ".":
        return {}
    body.seek(0)
    builder = ijson.ObjectBuilder()
    inside = f"{path}.item"
    for prefix, event, value in ijson.parse(body):
        is_list = prefix == path and event in {"start_array", "end_array"}
        if not is_list and prefix != inside and not prefix.startswith(f"{inside}."):
            builder.event(event, value)
    return builder.value


def _api_said(document: Any, names: tuple[str, ...]) -> str:
    """What a document says at one of some names, in one line."""
    known = document if isinstance(document, dict) else {}
    said = next((known[name] for name in names if known.get(name)), "")
    while isinstance(said, list | dict) and said:
        inner = said[0] if isinstance(said, list) else said.get("message")
        if inner is None:
            said = json.dumps(said)
            break
        said = inner
    return " ".join(str(said).replace(";", ",").split()) if said else ""


def _api_first_list(body: IO[bytes]) -> str:
    """Where the first list of objects of a large answer is."""
    for (path, event, _), (_, inner, _) in itertools.pairwise(ijson.parse(body)):
        if event == "start_array" and inner == "start_map":
            return path or "."
    return "."
