"""What an answer of an API says of its pages, beside the records."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from polster_runtime.sources.api.paths import api_at

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
API_SIZES = ("limit", "per_page", "perPage", "page_size", "pageSize", "size")
API_MORE = ("has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage")
API_BESIDE = frozenset(
    itertools.chain(
        *(API_SCOPES, API_NEXT_URLS, API_NEXT_CURSORS, API_PAGES, API_LAST_PAGES, API_OFFSETS),
        *(API_TOTALS, API_SIZES, API_MORE, ("error", "errors")),
    )
)
"""All of it: what stands beside records."""


def api_scoped(envelope: Any, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The things of some names that an answer says of its pages, and where they are."""
    for scope, name in itertools.product(API_SCOPES, names):
        path = f"{scope}.{name}" if scope else name
        if (found := api_at(envelope, path)) is not None:
            yield path, found


def api_next_url(envelope: Any, path: str = "") -> str | None:
    """The address of the next page, at a path or where it usually is."""
    if path:
        found = api_at(envelope, path)
        return str(found) if found else None
    looks = ("http://", "https://", "/", "?")
    urls = (found for _, found in api_scoped(envelope, API_NEXT_URLS) if isinstance(found, str))
    return next((url for url in urls if url.startswith(looks)), None)


def api_cursor(envelope: Any) -> tuple[str, str] | None:
    """Where the cursor of the next page is, and the parameter for it."""
    for name, param in API_NEXT_CURSORS.items():
        for path, found in api_scoped(envelope, [name]):
            if isinstance(found, str | int) and found != "":
                return path, param
    return None


def api_number(envelope: Any, names: Iterable[str]) -> tuple[str, int] | None:
    """Where the first number of some names is, and the number; it may be in quotes."""
    for path, found in api_scoped(envelope, names):
        if (number := api_count(found)) is not None:
            return path, number
    return None


def api_count(value: Any) -> int | None:
    """A whole number, which may be in quotes; None for anything else."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def api_says_more(envelope: Any) -> bool | None:
    """Whether an answer says that there are more pages; None if it does not say."""
    said = [str(found).lower() for _, found in api_scoped(envelope, API_MORE)]
    if "false" in said:
        return False
    return True if "true" in said else None


def api_may_go_on(envelope: Any) -> bool:
    """Whether there may be more pages: unless the answer says that there are not."""
    return api_says_more(envelope) is not False
