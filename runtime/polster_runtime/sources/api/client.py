"""Requests to an API: signed, and again where that may help. This module is yours to change."""

import base64
import gzip
import itertools
import socket
import threading
import time
import zlib
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import NameResolutionError, NewConnectionError

from polster_runtime.config.logging import log
from polster_runtime.errors import SourceError
from polster_runtime.sources.api.answer import ApiAnswer, api_place

API_RETRIED = {408, 425, 429, 500, 502, 503, 504}
"""Answers after which the same request may succeed."""
API_BAD_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """The variables of a connection, whatever its authentication: API_BASE_URL, and so on."""

    base_url: str = ""
    """What comes before a `url` that is only a path."""
    timeout: float = 30.0
    """Seconds without a byte after which a request has failed."""
    attempts: int = 5
    """How often a request is sent before it has failed."""
    max_wait: float = 300.0
    """Seconds to wait between two of them at most, whatever Retry-After asks for."""
    requests_per_second: float = 0.0
    """0: as fast as they are answered."""

    def who(self) -> list[str]:
        """The fields that say who is asking."""
        names = ("token", "key", "user", "password", "client_id", "client_secret")
        return [name for name in names if hasattr(self, name)]

    def secrets(self) -> list[str]:
        """What no message may show."""
        return [getattr(self, name) for name in self.who() if name not in {"user", "client_id"}]

    def signed(self, client: "ApiClient") -> AuthBase | None:
        """What signs each request."""
        return None


@dataclass(frozen=True, kw_only=True)
class ApiBearerSettings(ApiSettings):
    """A token: API_TOKEN."""

    token: str = field(repr=False)

    def signed(self, client: "ApiClient") -> AuthBase:
        return _ApiHeader("Authorization", f"Bearer {self.token}")


@dataclass(frozen=True, kw_only=True)
class ApiKeySettings(ApiSettings):
    """A key in a header: API_KEY and API_KEY_NAME."""

    key: str = field(repr=False)
    key_name: str = "X-API-Key"

    def signed(self, client: "ApiClient") -> AuthBase:
        return _ApiHeader(self.key_name, self.key)


@dataclass(frozen=True, kw_only=True)
class ApiQueryKeySettings(ApiSettings):
    """A key in the query: API_KEY and API_KEY_NAME."""

    key: str = field(repr=False)
    key_name: str = "api_key"

    def signed(self, client: "ApiClient") -> AuthBase:
        return _ApiQuery(self.key_name, self.key)


@dataclass(frozen=True, kw_only=True)
class ApiBasicSettings(ApiSettings):
    """A user and a password: API_USER and API_PASSWORD."""

    user: str
    password: str = field(repr=False)

    def signed(self, client: "ApiClient") -> AuthBase:
        return HTTPBasicAuth(self.user.encode(), self.password.encode())

    def secrets(self) -> list[str]:
        pair = f"{self.user}:{self.password}".encode()
        return [self.password, base64.b64encode(pair).decode()]


@dataclass(frozen=True, kw_only=True)
class ApiOAuth2Settings(ApiSettings):
    """OAuth2 client credentials: API_TOKEN_URL, API_CLIENT_ID and API_CLIENT_SECRET."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""

    def signed(self, client: "ApiClient") -> AuthBase:
        return _ApiOAuth2(self, client)


API_AUTHENTICATIONS: Mapping[str, type[ApiSettings]] = {
    "none": ApiSettings,
    "bearer": ApiBearerSettings,
    "api-key": ApiKeySettings,
    "api-key-query": ApiQueryKeySettings,
    "basic": ApiBasicSettings,
    "oauth2": ApiOAuth2Settings,
}


class ApiClient:
    """Sends requests: signed, no faster than allowed, and again where that may help."""

    def __init__(self, settings: ApiSettings, connection: str) -> None:
        self.settings, self.connection = settings, connection
        self.session = _ApiSession()
        self.session.headers["Accept"] = "application/json, application/x-ndjson, */*;q=0.5"
        self.pace = _api_pace(connection, settings.requests_per_second)
        self.auth = settings.signed(self)
        self.session.query = self.auth if isinstance(self.auth, _ApiQuery) else None

    def send(self, method: str, url: str, **how: Any) -> "ApiAnswer":
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
                    if answer.status not in API_RETRIED:
                        raise SourceError(f"{answer.place}: {problem}", final=True)
            except (requests.RequestException, *API_BAD_GZIP) as error:
                problem, final = _api_failure(error)
                if final:
                    raise SourceError(f"{api_place(url)}: {problem}", final=True) from None
            self._wait(attempt, asked_to_wait, f"{api_place(url)}: {problem}")
        raise AssertionError

    def _once(self, method: str, url: str, how: Mapping[str, Any]) -> "ApiAnswer":
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
        time.sleep(seconds)

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

    query: "_ApiQuery | None" = None
    """What a redirect loses, as headers are kept."""

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        here, there = urlsplit(response.url), urlsplit(str(prepared_request.url))
        if there.hostname != here.hostname or (here.scheme, there.scheme) == ("https", "http"):
            raise SourceError(
                f"{api_place(response.url)}: redirects to {api_place(there.geturl())}; "
                "put that address into `url`, if it is to be trusted",
                final=True,
            )
        if self.query:
            self.query(prepared_request)


class _ApiHeader(AuthBase):
    def __init__(self, name: str, value: str) -> None:
        if not value.isprintable():
            raise SourceError(f"the secret for {name} has a line break or the like", final=True)
        self.name, self.value = name, value.encode().decode("latin-1")

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers[self.name] = self.value
        return r


class _ApiQuery(AuthBase):
    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.url = api_url(str(r.url), {self.name: self.value})
        return r


class _ApiOAuth2(AuthBase):
    """A token by client credentials (RFC 6749, 4.4); a new one when it expires."""

    def __init__(self, settings: ApiOAuth2Settings, client: ApiClient) -> None:
        self.settings, self.client = settings, client
        self.token, self.expires = "", 0.0

    @property
    def secrets(self) -> list[str]:
        return [self.token] if self.token else []

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        if time.monotonic() > self.expires:
            self.renew()
        r.headers["Authorization"] = f"Bearer {self.token}"
        return r

    def renew(self) -> None:
        """Get a token. Raises SourceError."""
        known, place = self.settings, api_place(self.settings.token_url)
        grant = {"grant_type": "client_credentials"}
        grant |= {"scope": known.scope} if known.scope else {}
        own = {"client_id": known.client_id, "client_secret": known.client_secret}
        basic = HTTPBasicAuth(known.client_id.encode(), known.client_secret.encode())
        try:
            answer = self.client.send("POST", known.token_url, data=grant, auth=basic)
        except SourceError as error:
            if not error.final:
                raise
            # Not every server takes them in the header, as it must (2.3.1).
            answer = self.client.send("POST", known.token_url, data={**grant, **own}, auth=None)
        with closing(answer):
            found = answer.document()
        if not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
            raise SourceError(f"{place}: the answer has no access_token", final=True)
        self.token = found["access_token"]
        lasts = float(found.get("expires_in") or 3600)
        self.expires = time.monotonic() + max(lasts - 30, lasts / 2)


class _ApiPace:
    """Lets a request pass every so often, for all threads that ask the same API."""

    def __init__(self, per_second: float) -> None:
        self.seconds = 1 / per_second if per_second > 0 else 0.0
        self.lock, self.free_at = threading.Lock(), 0.0

    def __call__(self) -> None:
        with self.lock:
            now = time.monotonic()
            at = max(self.free_at, now)
            self.free_at = at + self.seconds
        time.sleep(at - now)


@cache
def _api_pace(connection: str, per_second: float) -> _ApiPace:
    return _ApiPace(per_second)


def api_url(url: str, query: Mapping[str, Any]) -> str:
    """An address with parameters in place of those of the same name."""
    if not query:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in query]
    pairs = urlencode([*kept, *query.items()], doseq=True)
    return urlunsplit((*parts[:3], pairs, ""))


def api_reached(url: str, timeout: float) -> str:
    """Open a connection, and close it. Raises SourceError."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    try:
        socket.create_connection((parts.hostname or "", port), timeout).close()
    except OSError as error:
        raise SourceError(f"{api_place(url)}: {_api_failure(error)[0]}") from None
    return f"{parts.hostname}:{port} answers"


def _api_failure(error: BaseException) -> tuple[str, bool]:
    """Why a request failed, and whether it always will; never its own text, which has the query."""
    causes = list(_api_causes(error))
    kinds = tuple(map(type, causes))

    def has(*wanted: type[BaseException]) -> bool:
        return any(issubclass(kind, wanted) for kind in kinds)

    named = requests.exceptions
    if has(named.InvalidURL, named.MissingSchema, named.InvalidSchema, named.InvalidHeader):
        return "cannot be asked for: it is no address of the web, or a secret has line breaks", True
    if has(named.TooManyRedirects):
        return "redirects in a circle", True
    if has(NameResolutionError, socket.gaierror):
        return "the host is unknown; check its name, and the network", False
    if has(named.SSLError):
        why = next(
            (str(cause.verify_message) for cause in causes if hasattr(cause, "verify_message")), ""
        )
        return (
            f"the certificate is not trusted{f' ({why})' if why else ''}; see REQUESTS_CA_BUNDLE",
            True,
        )
    if has(named.ProxyError):
        return "the proxy refuses; check HTTPS_PROXY", False
    if has(ConnectionRefusedError):
        return "nothing listens there (connection refused)", False
    if has(named.Timeout, TimeoutError) or any("timed out" in str(cause) for cause in causes):
        return "no answer in time; see …_TIMEOUT", False
    if has(named.ContentDecodingError, *API_BAD_GZIP):
        return "the answer cannot be unpacked", False
    if has(NewConnectionError):
        return "cannot be reached", False
    if has(named.RequestException):
        return "the connection broke off", False
    return getattr(error, "strerror", None) or type(error).__name__, False


def _api_causes(error: BaseException | None) -> Generator[BaseException, None, None]:
    """An error, and those that it came from."""
    waiting, known = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in known:
            known.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
