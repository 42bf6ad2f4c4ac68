"""REST APIs: pages of JSON become rows.

    source = Api(url="https://api.example.com/v1/orders", auth="bearer", cursor="updated_at")

Pages are kept on disk as they come, and typed when all are there: so every frame has the columns
of all pages, and neither many pages nor a large one need memory. It needs requests, which Dagster
needs as well, and ijson, which reads JSON that is larger than memory.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, make_dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from polster_runtime.config.settings import load
from polster_runtime.errors import SourceError
from polster_runtime.sources.api.addresses import api_place, api_url
from polster_runtime.sources.api.answer import ApiAnswer
from polster_runtime.sources.api.client import ApiClient, ApiNotFoundError, api_reached
from polster_runtime.sources.api.detection import api_detected
from polster_runtime.sources.api.new import ApiNew
from polster_runtime.sources.api.pages import (
    API_PAGINATIONS,
    ApiPage,
    ApiPagination,
    api_check_end,
    api_ends_with_404,
)
from polster_runtime.sources.api.route import ApiRoute
from polster_runtime.sources.api.rows import ApiRows
from polster_runtime.sources.api.settings import API_AUTHENTICATIONS, ApiSettings
from polster_runtime.sources.base import Frames, Position


@dataclass(frozen=True, kw_only=True)
class Api:
    """What to read of an API, and how."""

    url: str
    """With its query; only the path where the variable API_BASE_URL has the rest."""
    method: str = "GET"
    """With POST, parameters of pages and of the cursor go into the body."""
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    """Sent as JSON."""
    records: str = ""
    """Where an answer has its records: "data.items", or "." for the answer itself."""
    pagination: str | ApiPagination = "auto"
    """A name of API_PAGINATIONS, or for example ApiPageNumber(param="p")."""
    auth: str = "none"
    """A name of API_AUTHENTICATIONS."""
    cursor: str = ""
    """The field that only grows; then each run reads only what is new."""
    cursor_param: str = ""
    """The parameter that asks for records from a cursor on; without it all are read, and sorted
    out here."""
    start: str | int | float | None = None
    """Where the first run begins; None: with all there is."""
    lag: float = 0
    """How far behind the cursor a record may arrive: in seconds, or as the cursor counts."""
    key: str = ""
    """The field that tells records of the same cursor apart, such as id; without it, all fields."""
    flatten: bool = False
    """Whether {"address": {"city": …}} becomes a column address__city, not a struct."""
    types: Mapping[str, Any] = field(default_factory=dict)
    """Columns that have a type of your own: {"price": pl.Decimal(10, 2), "tags": pl.String}."""
    connection: str = "API"
    """What the variables start with."""

    def read(self, position: Position = None) -> Frames:
        """Yield what is new after a position, and return the new one.

        Yields nothing where nothing is new. Raises SettingsError, and SourceError.
        """
        settings = self._settings()
        place = self._place(settings)
        new = ApiNew(self.cursor, self.lag, self.start if position is None else position, self.key)
        with closing(ApiRows(self.types, self.flatten)) as rows:
            try:
                for page in self._pages(settings, new.since):
                    self._keep(page, new, rows)
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise SourceError(f"{place}: no room for the pages: {why}") from None
            reached = new.position(place)
            yield from rows.frames(place)
        return reached

    def _keep(self, page: ApiAnswer, new: ApiNew, rows: ApiRows, limit: int | None = None) -> None:
        """Keep the records of a page that are new. Raises SourceError, which names the record."""
        for record in itertools.islice(page.records, limit):
            try:
                if new.takes(record):
                    rows.add(record, has_exact=page.numbers.any)
            except ValueError as error:
                raise SourceError(
                    f"{page.place}: record {page.count}: {error}", final=True
                ) from None

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """What the doctor tries, in this order."""
        settings: list[ApiSettings] = []

        def known() -> str:
            settings.append(self._settings())
            return self._place(settings[0])

        def connect() -> str:
            return api_reached(self._address(settings[0]), settings[0].timeout)

        def read() -> str:
            new = ApiNew(self.cursor, self.lag, self.start, self.key)
            with closing(ApiRows(self.types, self.flatten)) as rows:
                page = next(self._pages(settings[0], new.since))
                self._keep(page, new, rows, 1_000)
            return f"{rows.count} records at least, of {len(rows.shape.fields)} columns"

        yield "settings", known
        yield "connect", connect
        yield "read", read

    def _settings(self) -> ApiSettings:
        kind = API_AUTHENTICATIONS.get(self.auth)
        if kind is None:
            known = ", ".join(API_AUTHENTICATIONS)
            raise SourceError(f"auth is one of {known}; not {self.auth!r}", final=True)
        if "://" not in self.url:  # then it is needed
            fields = [("base_url", str, field(kw_only=True))]
            kind = make_dataclass(kind.__name__, fields, bases=(kind,), frozen=True, kw_only=True)
        return load(kind, prefix=self.connection)

    def _address(self, settings: ApiSettings) -> str:
        if "://" in self.url:
            return self.url
        return f"{settings.base_url.rstrip('/')}/{self.url.lstrip('/')}"

    def _place(self, settings: ApiSettings) -> str:
        return api_place(self._address(settings))

    def _pagination(self) -> ApiPagination | None:
        """Return the chosen pagination; None where the first answers decide."""
        if not isinstance(self.pagination, str):
            return self.pagination
        if self.pagination not in {"auto", *API_PAGINATIONS}:
            known = ", ".join(["auto", *API_PAGINATIONS])
            raise SourceError(f"pagination is one of {known}; not {self.pagination!r}", final=True)
        return API_PAGINATIONS.get(self.pagination)

    def _pages(self, settings: ApiSettings, since: Any) -> Iterator[ApiAnswer]:
        """The answers, one by one; the records of each must be read before the next."""
        client = ApiClient(settings, self.connection)
        pagination, url, so_far = self._pagination(), self._address(settings), 0
        query, asked = dict(self.params), dict(pagination.first()) if pagination else {}
        if since is not None and self.cursor_param:
            asked[self.cursor_param] = since
        before: ApiPage | None = None
        route = ApiRoute()
        for number in itertools.count(1):
            try:
                answer = self._ask(client, url, query, asked)
            except ApiNotFoundError:
                if before and pagination and api_ends_with_404(pagination, before, url):
                    return
                raise
            with closing(answer):
                route.visit(url, query, asked)
                answer.find_records(before.answer.path if before else self.records)
                yield answer
                so_far += answer.count
                page = ApiPage(number, so_far, answer)
                pagination = pagination or api_detected(page)
                following = pagination.after(page)
                if following is None:
                    api_check_end(page, pagination)
                    return
                if before and answer.repeats(before.answer):
                    raise SourceError(
                        f"{answer.place}: pages {number - 1} and {number} are the same; "
                        "say how pages are asked for with `pagination`",
                        final=True,
                    )
                if isinstance(following, str):
                    url, query, asked = _api_followed(answer, following), {}, {}
                else:
                    asked |= following
                if not route.leads_on(page, url, query, asked):
                    return
                before = page

    def _ask(
        self,
        client: ApiClient,
        url: str,
        query: Mapping[str, Any],
        asked: Mapping[str, Any],
    ) -> ApiAnswer:
        method = self.method.upper()
        if method == "GET":
            return client.send(method, api_url(url, {**query, **asked}), headers=self.headers)
        body = {**(self.body or {}), **asked}
        return client.send(method, api_url(url, query), headers=self.headers, json=body)


def fetch_api_data(url: str, position: Position = None, **options: Any) -> Frames:
    """Yield the rows of an API as frames, for assets that are written by hand.

        for frame in fetch_api_data("https://api.example.com/v1/orders", auth="bearer"): …

    The options are the fields of `Api`. Raises SettingsError, and SourceError.
    """
    return Api(url=url, **options).read(position)


def _api_followed(answer: ApiAnswer, following: str) -> str:
    """The address of a next page; secrets go to the same host only, and never less protected."""
    here, there = urlsplit(answer.url), urlsplit(urljoin(answer.url, following))
    if there.hostname != here.hostname or there.scheme not in {"http", "https"}:
        raise SourceError(
            f"{answer.place}: the next page is said to be at {api_place(there.geturl())}, which "
            "is another host; say how pages are asked for with `pagination`",
            final=True,
        )
    # Behind a proxy an API often takes itself for http, and for another port.
    return urlunsplit((here.scheme, here.netloc, there.path, there.query, ""))
