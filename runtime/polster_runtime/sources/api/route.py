"""The way from page to page: whether it leads anywhere."""

import json
from collections.abc import Mapping
from typing import Any

from polster_runtime.errors import SourceError
from polster_runtime.sources.api.pages import ApiPage
from polster_runtime.sources.incremental import mark

MAX_EMPTY_PAGES = 1_000
"""Pages without a record, one after the other, after which nothing more is expected."""


class ApiRoute:
    """The requests that were sent for the pages of one reading."""

    def __init__(self) -> None:
        self.visited, self.empty = set[bytes](), 0

    def visit(self, url: str, query: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        """Note a request that was answered."""
        self.visited.add(_mark_of(url, query, asked))

    def leads_on(
        self, page: ApiPage, url: str, query: Mapping[str, Any], asked: Mapping[str, Any]
    ) -> bool:
        """Whether the request for the next page is a new one; False at the end.

        A page without records that leads back to itself or to another is the last one: some APIs
        give the same cursor until there is more. Raises SourceError for a circle of pages that have
        records, and for too many that have none.
        """
        self.empty = 0 if page.records else self.empty + 1
        if self.empty > MAX_EMPTY_PAGES:
            raise SourceError(
                f"{page.answer.place}: {self.empty:,} pages without a record, and each leads to "
                "another; say how pages are asked for with `pagination`",
                final=True,
            )
        if _mark_of(url, query, asked) not in self.visited:
            return True
        if page.records:
            raise SourceError(
                f"{page.answer.place}: after page {page.number} the pages lead in a circle; "
                "say how they are asked for with `pagination`",
                final=True,
            )
        return False


def _mark_of(url: str, query: Mapping[str, Any], asked: Mapping[str, Any]) -> bytes:
    return mark([url, json.dumps([query, asked], sort_keys=True, default=str)])
