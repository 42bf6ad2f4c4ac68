"""Pages of an API: how to get from one to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from polster_runtime.errors import SourceError
from polster_runtime.sources.api.answer import ApiAnswer
from polster_runtime.sources.api.envelope import (
    API_LAST_PAGES,
    API_OFFSETS,
    API_PAGES,
    API_TOTALS,
    api_count,
    api_cursor,
    api_may_go_on,
    api_next_url,
    api_number,
    api_says_more,
)
from polster_runtime.sources.api.paths import api_at
from polster_runtime.sources.base import doubt

_NUMBERS = {*API_PAGES, *API_OFFSETS, "p", "page[number]", "page[offset]"}
"""Parameters that count pages, or records before a page."""


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
        return api_next_url(page.envelope, self.path)


@dataclass(frozen=True)
class ApiCursor(ApiOnePage):
    """The answer has a cursor at `path` ("meta.next"), which the next request has as `param`."""

    path: str = ""
    param: str = ""

    def after(self, page: ApiPage) -> ApiNext:
        path, param = self.path, self.param
        if not path:
            path, known = api_cursor(page.envelope) or ("", "")
            param = param or known
        cursor = api_at(page.envelope, path) if path else None
        return {param or "cursor": cursor} if cursor and api_may_go_on(page.envelope) else None


@dataclass(frozen=True)
class ApiLastRecord(ApiOnePage):
    """The next request has the `field` of the last record as `param`, until a page is empty."""

    field: str = "id"
    param: str = "starting_after"

    def after(self, page: ApiPage) -> ApiNext:
        more = page.records and api_may_go_on(page.envelope)
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
        pages = api_count(api_at(page.envelope, self.last)) if self.last else None
        done = not page.records if pages is None else page.number >= pages
        return (
            None
            if done or not api_may_go_on(page.envelope)
            else {self.param: self.start + page.number}
        )


@dataclass(frozen=True)
class ApiOffset:
    """`?offset=100`, until a page is empty, or all of `total` ("meta.total") are there."""

    param: str = "offset"
    start: int = 0
    total: str = ""

    def first(self) -> dict[str, Any]:
        return {self.param: self.start}

    def after(self, page: ApiPage) -> ApiNext:
        total = api_count(api_at(page.envelope, self.total)) if self.total else None
        done = not page.records or (total is not None and page.so_far >= total)
        return (
            None
            if done or not api_may_go_on(page.envelope)
            else {self.param: self.start + page.so_far}
        )


API_PAGINATIONS: Mapping[str, ApiPagination] = {
    "none": ApiOnePage(),
    "link": ApiLink(),
    "next-url": ApiNextUrl(),
    "cursor": ApiCursor(),
    "last-record": ApiLastRecord(),
    "page": ApiPageNumber(),
    "offset": ApiOffset(),
}


def api_ends_with_404(pagination: ApiPagination, before: ApiPage, url: str) -> bool:
    """Whether the page at `url` that is not there is the end, after a page that is.

    It is where all that an answer counts has come, and where pages are numbered; not where it has
    said that there are more, and not for cursors: one that is not known has expired.
    """
    said = before.envelope
    total, last = api_number(said, API_TOTALS), api_number(said, API_LAST_PAGES)
    if isinstance(pagination, ApiPageNumber) and pagination.last:
        last = _at(said, pagination.last) or last
    if isinstance(pagination, ApiOffset) and pagination.total:
        total = _at(said, pagination.total) or total
    lacks = (total and before.so_far < total[1]) or (last and before.number < last[1])
    if lacks or api_says_more(said):
        return False
    if last or (total and not total[0].endswith("count")):  # which may be that of one page
        return True
    if isinstance(pagination, ApiPageNumber | ApiOffset):
        return True
    numbered = isinstance(pagination, ApiLink | ApiNextUrl) and any(
        name in _NUMBERS and number.isdecimal() for name, number in parse_qsl(urlsplit(url).query)
    )
    if numbered:
        doubt(
            f"{before.answer.place}: page {before.number} leads to another, which is not there "
            '(404), and was taken for the last; `pagination="page"` or another says so'
        )
    return numbered


def _at(said: Any, path: str) -> tuple[str, int] | None:
    number = api_count(api_at(said, path))
    return None if number is None else (path, number)


def api_check_end(page: ApiPage, pagination: ApiPagination) -> None:
    """Raise SourceError where the last page says that there are more."""
    total = None
    if isinstance(pagination, ApiOffset) and pagination.total:
        total = api_count(api_at(page.envelope, pagination.total))
    if type(pagination) is ApiOnePage or not (
        api_says_more(page.envelope) or (total is not None and page.so_far < total)
    ):
        return
    of = "there are more" if total is None else f"of {total}"
    raise SourceError(
        f"{page.answer.place}: {page.so_far} records, {of}, but page {page.number} does not lead "
        "to them; say how pages are asked for with `pagination`",
        final=True,
    )
