"""Requests to an API: signed, no faster than allowed, and again where that may help."""

import itertools
import socket
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import SplitResult, quote, quote_plus, urlsplit

import requests

from polster_runtime.config import interruption
from polster_runtime.config.logging import log
from polster_runtime.errors import SourceError
from polster_runtime.sources.api.addresses import api_place
from polster_runtime.sources.api.answer import ApiAnswer
from polster_runtime.sources.api.authentication import ApiQuery, api_signed
from polster_runtime.sources.api.failures import API_BAD_GZIP, api_failure
from polster_runtime.sources.api.pace import api_pace
from polster_runtime.sources.api.settings import ApiSettings

API_RETRIED = {408, 425, 429, 500, 502, 503, 504}
"""Answers after which the same request may succeed."""


class ApiNotFoundError(SourceError):
    """404: perhaps the page after the last one."""


class ApiClient:
    """Sends requests: signed, no faster than allowed, and again where that may help.

    urllib3's own Retry knows neither of bodies that break off nor of a longest wait, and its errors
    show the query.
    """

    def __init__(self, settings: ApiSettings, connection: str) -> None:
        self.settings, self.connection = settings, connection
        self.session = _ApiSession()
        self.session.headers["Accept"] = "application/json, application/x-ndjson, */*;q=0.5"
        self.pace = api_pace(connection, settings.requests_per_second)
        self.auth = api_signed(settings, self.send)
        self.session.query = self.auth if isinstance(self.auth, ApiQuery) else None

    def send(self, method: str, url: str, **how: Any) -> ApiAnswer:
        """The answer, with its body on disk or in memory. Raises SourceError."""
        how = {"auth": self.auth, **how}
        renew = getattr(how["auth"], "renew", None)
        for attempt in itertools.count(1):
            asked_to_wait: float | None = None
            try:
                answer = self._once(method, url, how)
                if answer.status < 400:
                    return answer
                with closing(answer):
                    if answer.status == 401 and renew is not None:
                        renew()  # the token was good for less time than it said
                        renew = None
                        continue
                    problem, asked_to_wait = self._refusal(answer), answer.retry_after
                    if answer.status == 404:
                        raise ApiNotFoundError(f"{answer.place}: {problem}", final=True)
                    if answer.status not in API_RETRIED:
                        raise SourceError(f"{answer.place}: {problem}", final=True)
            except (requests.RequestException, *API_BAD_GZIP) as error:
                problem, final = api_failure(error)
                if final:
                    raise SourceError(f"{api_place(url)}: {problem}", final=True) from None
            self._wait(attempt, asked_to_wait, f"{api_place(url)}: {problem}")
        raise AssertionError

    def _once(self, method: str, url: str, how: Mapping[str, Any]) -> ApiAnswer:
        self.pace()
        timeout = self.settings.timeout
        with self.session.request(method, url, stream=True, timeout=timeout, **how) as response:
            return ApiAnswer(response, self._masked)

    def _wait(self, attempt: int, asked: float | None, problem: str) -> None:
        """Wait for the next attempt. Raises SourceError when there is none."""
        times = f", {attempt} times" if attempt > 1 else ""
        reason, _, hint = problem.partition("; ")
        hint = f"; {hint}" if hint else ""
        if attempt >= self.settings.attempts:
            raise SourceError(f"{reason}{times}{hint}")
        limit = self.settings.max_wait
        if asked is not None and asked > limit:
            raise SourceError(
                f"{reason}, to be tried again in {asked:.0f} s; "
                f"{self.connection}_MAX_WAIT is {limit:g}"
            )
        seconds = min(0.5 * 2 ** (attempt - 1), limit) if asked is None else asked
        log.warning(f"{reason}: trying again", extra={"details": {"wait": round(seconds, 1)}})
        interruption.sleep(seconds)

    def _refusal(self, answer: ApiAnswer) -> str:
        """Why there are no records, in a few words and without a secret."""
        said = answer.said
        told = f"{answer.status} {answer.reason}".strip() + (f" ({said})" if said else "")
        if answer.status in {401, 403}:
            names = [f"{self.connection}_{name}".upper() for name in self.settings.who()]
            return f"refused, {told}; check {' and '.join(names) or '`auth`'}"
        if answer.status in {404, 410}:
            return f"not found, {told}; check `url`"
        return told

    def _masked(self, text: str) -> str:
        """A text without secrets, in whatever form an answer may repeat them."""
        for secret in [*self.settings.secrets(), *getattr(self.auth, "secrets", [])]:
            for form in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(form, "***") if form else text
        return text


class _ApiSession(requests.Session):
    """Follows redirects as far as the secrets may go."""

    query: ApiQuery | None = None
    """What a redirect loses, as headers are kept."""

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        there = urlsplit(str(prepared_request.url))
        if not _may_know(urlsplit(response.url), there):
            raise SourceError(
                f"{api_place(response.url)}: redirects to {api_place(there.geturl())}; "
                "put that address into `url`, if it is to be trusted",
                final=True,
            )
        if self.query:
            self.query(prepared_request)


def _may_know(here: SplitResult, there: SplitResult) -> bool:
    """Whether the secrets of one address may go to another: the same server, or a safer way."""
    if there.hostname != here.hostname:
        return False
    ports = _port(here), _port(there)
    same = here.scheme == there.scheme and ports[0] == ports[1]
    return same or (here.scheme, there.scheme, *ports) == ("http", "https", 80, 443)


def _port(address: SplitResult) -> int:
    return address.port or {"http": 80}.get(address.scheme, 443)


def api_reached(url: str, timeout: float) -> str:
    """Open a connection, and close it. Raises SourceError."""
    parts = urlsplit(url)
    port = _port(parts)
    try:
        socket.create_connection((parts.hostname or "", port), timeout).close()
    except OSError as error:
        raise SourceError(f"{api_place(url)}: {api_failure(error)[0]}") from None
    return f"{parts.hostname}:{port} answers"
