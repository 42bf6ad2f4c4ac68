"""Pages of an API: how to get from one to the next, found out from the first."""

from collections.abc import Mapping

from polster_runtime.errors import SourceError
from polster_runtime.sources.api.envelope import (
    API_LAST_PAGES,
    API_OFFSETS,
    API_PAGES,
    API_SIZES,
    API_TOTALS,
    api_cursor,
    api_may_go_on,
    api_next_url,
    api_number,
    api_says_more,
)
from polster_runtime.sources.api.pages import (
    ApiCursor,
    ApiLink,
    ApiNextUrl,
    ApiOffset,
    ApiOnePage,
    ApiPage,
    ApiPageNumber,
    ApiPagination,
)
from polster_runtime.sources.base import doubt

API_TOTAL_HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "Total-Count")
API_PAGE_SIZES = {10, 15, 20, 25, 30, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000}
"""So many records are hardly all there are."""


def api_detected(page: ApiPage) -> ApiPagination:
    """The pagination that a first page speaks of. Raises SourceError where it lacks records."""
    envelope = page.envelope
    if page.link:
        return ApiLink()
    if api_next_url(envelope):
        return ApiNextUrl()
    if api_may_go_on(envelope) and (found := api_cursor(envelope)):
        return ApiCursor(*found)
    number, last = api_number(envelope, API_PAGES), api_number(envelope, API_LAST_PAGES)
    if number and last:
        return ApiPageNumber(_page_param(number[0]), number[1], last[0])
    offset, total = api_number(envelope, API_OFFSETS), api_number(envelope, API_TOTALS)
    if offset and total:
        return ApiOffset(offset[0].rpartition(".")[2], offset[1], total[0])
    size = api_number(envelope, API_SIZES)
    if page.records and (size is None or page.records >= size[1]):  # it may be a full page
        if offset:
            return ApiOffset(offset[0].rpartition(".")[2], offset[1])
        if number and size:
            return ApiPageNumber(_page_param(number[0]), number[1])
    _api_refuse_part(page, total[1] if total else _api_total_of(page.answer.headers))
    return ApiOnePage()


def _api_total_of(headers: Mapping[str, str]) -> str:
    """How many records there are, as headers say it: `Content-Range: items 0-24/319`, or a name."""
    known = next((headers[name] for name in API_TOTAL_HEADERS if name in headers), "")
    return known or headers.get("Content-Range", "").rpartition("/")[2]


def _page_param(path: str) -> str:
    """The parameter that takes the number of a page that is at a path."""
    param = path.rpartition(".")[2]
    return "page" if param == "number" or param.startswith("current") else param


def _api_refuse_part(page: ApiPage, total: str | int) -> None:
    """Raise SourceError where an answer speaks of more records than it has."""
    more = api_says_more(page.envelope)
    if page.records and (more or (str(total).isdecimal() and int(total) > page.records)):
        of = "there are more" if more else f"of {total}"
        raise SourceError(
            f"{page.answer.place}: one page has {page.records} records, {of}; "
            "say how pages are asked for with `pagination`",
            final=True,
        )
    if page.records in API_PAGE_SIZES:
        doubt(
            f"{page.answer.place}: {page.records} records, and no word of further pages; "
            'if there are some, set `pagination`, else set it to "none"'
        )
