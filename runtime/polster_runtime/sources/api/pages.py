"""Pages of an API: how to get from one to the next."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from polster_runtime.config.logging import log
from polster_runtime.errors import SourceError
from polster_runtime.sources.api.answer import ApiAnswer
from polster_runtime.sources.api.rows import api_at

API_PAGE_SIZES = {10, 15, 20, 25, 30, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000}
"""So many records are hardly all there are."""
API_SCOPES = ("", "meta", "pagination", "paging", "page", "page_info", "info", "links", "_links")
"""Where it speaks of its pages."""
API_NEXT_URLS = (
    *("next", "next.href", "next_url", "nextUrl", "next_page_url", "nextPageUrl"),
    *("next_link", "nextLink", "@odata.nextLink"),
)
API_NEXT_CURSORS = {
    "next_cursor": "cursor",
    "nextCursor": "cursor",
    "cursors.after": "after",
    "next.after": "after",
    "end_cursor": "after",
    "next_page_token": "page_token",
    "nextPageToken": "pageToken",
    "next_token": "next_token",
    "nextToken": "nextToken",
    "continuation_token": "continuation_token",
    "continuationToken": "continuationToken",
    "response_metadata.next_cursor": "cursor",
}
"""Where it has the cursor of the next page, and the parameter that takes it."""
API_PAGES = ("page", "current_page", "currentPage", "page_number", "pageNumber", "number")
API_LAST_PAGES = ("total_pages", "totalPages", "last_page", "lastPage", "page_count", "pages")
API_OFFSETS = ("offset", "skip", "start")
API_TOTALS = ("total", "total_count", "totalCount", "total_results", "totalResults", "count")
API_MORE = ("has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage")


@dataclass(frozen=True)
class ApiPage:
    """What a pagination knows of a page to find the next one."""

    number: int
    """1 for the first one."""
    so_far: int
    """The records of all pages up to this one."""
    answer: ApiAnswer

    @property
    def records(self) -> int:
        """The number of those of this page."""
        return self.answer.count

    @property
    def envelope(self) -> Any:
        """What the answer says beside its records."""
        return self.answer.envelope

    @property
    def link(self) -> str:
        """The next page by the Link header, or nothing."""
        return self.answer.link


ApiNext = str | dict[str, Any] | None
"""The address of the next page, or the parameters that lead there; None after the last one."""


class ApiPagination(Protocol):
    """How to get from page to page; write your own if none of those below fits."""

    def first(self) -> dict[str, Any]:
        """The parameters of the first page."""

    def after(self, page: ApiPage) -> ApiNext:
        """What leads to the page after this one."""


@dataclass(frozen=True)
class ApiOnePage:
    """There is only one."""

    def first(self) -> dict[str, Any]:
        return {}

    def after(self, page: ApiPage) -> ApiNext:
        return None


@dataclass(frozen=True)
class ApiLink(ApiOnePage):
    """The header `Link: <…>; rel="next"`."""

    def after(self, page: ApiPage) -> ApiNext:
        return page.link or None


@dataclass(frozen=True)
class ApiNextUrl(ApiOnePage):
    """The answer has the address of the next page, at `path` ("links.next")."""

    path: str = ""

    def after(self, page: ApiPage) -> ApiNext:
        return _api_next_url(page.envelope, self.path)


@dataclass(frozen=True)
class ApiCursor(ApiOnePage):
    """The answer has a cursor at `path` ("meta.next"), which the next request has as `param`."""

    path: str = ""
    param: str = ""

    def after(self, page: ApiPage) -> ApiNext:
        path, param = self.path, self.param
        if not path:
            path, known = _api_cursor(page.envelope) or ("", "")
            param = param or known
        cursor = api_at(page.envelope, path) if path else None
        return {param or "cursor": cursor} if cursor and _api_more(page) else None


@dataclass(frozen=True)
class ApiLastRecord(ApiOnePage):
    """The next request has the `field` of the last record as `param`, until a page is empty."""

    field: str = "id"
    param: str = "starting_after"

    def after(self, page: ApiPage) -> ApiNext:
        more = page.records and _api_more(page)
        return {self.param: api_at(page.answer.last, self.field)} if more else None


@dataclass(frozen=True)
class ApiPageNumber:
    """`?page=2`, until a page is empty, or the last one is that of `last` ("meta.pages")."""

    param: str = "page"
    start: int = 1
    last: str = ""

    def first(self) -> dict[str, Any]:
        return {self.param: self.start}

    def after(self, page: ApiPage) -> ApiNext:
        pages = api_at(page.envelope, self.last) if self.last else None
        done = not page.records if pages is None else page.number >= int(pages)
        return None if done or not _api_more(page) else {self.param: self.start + page.number}


@dataclass(frozen=True)
class ApiOffset:
    """`?offset=100`, until a page is empty, or all of `total` ("meta.total") are there."""

    param: str = "offset"
    start: int = 0
    total: str = ""

    def first(self) -> dict[str, Any]:
        return {self.param: self.start}

    def after(self, page: ApiPage) -> ApiNext:
        total = api_at(page.envelope, self.total) if self.total else None
        done = not page.records or (total is not None and page.so_far >= int(total))
        return None if done or not _api_more(page) else {self.param: self.start + page.so_far}


API_PAGINATIONS: Mapping[str, ApiPagination] = {
    "none": ApiOnePage(),
    "link": ApiLink(),
    "next-url": ApiNextUrl(),
    "cursor": ApiCursor(),
    "last-record": ApiLastRecord(),
    "page": ApiPageNumber(),
    "offset": ApiOffset(),
}


def _api_scoped(envelope: Any, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The things of some names that an answer says of its pages, and where they are."""
    for scope, name in itertools.product(API_SCOPES, names):
        path = f"{scope}.{name}" if scope else name
        if (found := api_at(envelope, path)) is not None:
            yield path, found


def _api_next_url(envelope: Any, path: str = "") -> str | None:
    if path:
        found = api_at(envelope, path)
        return str(found) if found else None
    looks = ("http://", "https://", "/", "?")
    urls = (found for _, found in _api_scoped(envelope, API_NEXT_URLS) if isinstance(found, str))
    return next((url for url in urls if url.startswith(looks)), None)


def _api_cursor(envelope: Any) -> tuple[str, str] | None:
    """Where the cursor of the next page is, and the parameter for it."""
    for name, param in API_NEXT_CURSORS.items():
        for path, found in _api_scoped(envelope, [name]):
            if isinstance(found, str | int) and found != "":
                return path, param
    return None


def _api_number(envelope: Any, names: Iterable[str]) -> tuple[str, int] | None:
    numbers = (
        (path, found)
        for path, found in _api_scoped(envelope, names)
        if isinstance(found, int) and not isinstance(found, bool)
    )
    return next(numbers, None)


def _api_more(page: ApiPage) -> bool:
    """Whether there may be more pages: unless the answer says that there are not."""
    return all(found is not False for _, found in _api_scoped(page.envelope, API_MORE))


def api_detected(page: ApiPage) -> ApiPagination:
    """The pagination that a first page speaks of. Raises SourceError where it lacks records."""
    envelope = page.envelope
    if page.link:
        return ApiLink()
    if _api_next_url(envelope):
        return ApiNextUrl()
    if _api_more(page) and (found := _api_cursor(envelope)):
        return ApiCursor(*found)
    number, last = _api_number(envelope, API_PAGES), _api_number(envelope, API_LAST_PAGES)
    if number and last:
        param = number[0].rpartition(".")[2]
        param = "page" if param == "number" or param.startswith("current") else param
        return ApiPageNumber(param=param, start=number[1], last=last[0])
    offset, total = _api_number(envelope, API_OFFSETS), _api_number(envelope, API_TOTALS)
    if offset and total:
        return ApiOffset(offset[0].rpartition(".")[2], offset[1], total[0])
    _api_refuse_part(page, total[1] if total else page.answer.headers.get("X-Total-Count", "0"))
    return ApiOnePage()


def _api_refuse_part(page: ApiPage, total: str | int) -> None:
    """Raise SourceError where an answer speaks of more records than it has."""
    more = any(found is True for _, found in _api_scoped(page.envelope, API_MORE))
    if page.records and (more or (str(total).isdecimal() and int(total) > page.records)):
        of = "there are more" if more else f"of {total}"
        raise SourceError(
            f"{page.answer.place}: one page has {page.records} records, {of}; "
            "say how pages are asked for with `pagination`",
            final=True,
        )
    if page.records in API_PAGE_SIZES:
        log.warning(
            f"{page.answer.place}: {page.records} records, and no word of further pages; "
            'if there are some, set `pagination`, else set it to "none"'
        )
