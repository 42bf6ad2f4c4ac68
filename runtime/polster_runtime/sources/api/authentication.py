"""What signs requests to an API."""

import time
from collections.abc import Callable
from contextlib import closing

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from polster_runtime.errors import SourceError
from polster_runtime.sources.api.addresses import api_place, api_url
from polster_runtime.sources.api.answer import ApiAnswer
from polster_runtime.sources.api.settings import (
    ApiBasicSettings,
    ApiBearerSettings,
    ApiKeySettings,
    ApiOAuth2Settings,
    ApiQueryKeySettings,
    ApiSettings,
)

Send = Callable[..., ApiAnswer]
"""Sends a request, as `ApiClient.send` does."""


def api_signed(settings: ApiSettings, send: Send) -> AuthBase | None:
    """What signs each request, as the settings say. Raises SourceError."""
    if isinstance(settings, ApiBearerSettings):
        return ApiHeader("Authorization", f"Bearer {settings.token}")
    if isinstance(settings, ApiKeySettings):
        return ApiHeader(settings.key_name, settings.key)
    if isinstance(settings, ApiQueryKeySettings):
        return ApiQuery(settings.key_name, settings.key)
    if isinstance(settings, ApiBasicSettings):
        return HTTPBasicAuth(settings.user.encode(), settings.password.encode())
    if isinstance(settings, ApiOAuth2Settings):
        return ApiOAuth2(settings, send)
    return None


class ApiHeader(AuthBase):
    """A secret in a header."""

    def __init__(self, name: str, value: str) -> None:
        if not value.isprintable():
            raise SourceError(f"the secret for {name} has a line break or the like", final=True)
        self.name, self.value = name, value.encode().decode("latin-1")

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers[self.name] = self.value
        return r


class ApiQuery(AuthBase):
    """A secret in the query."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.url = api_url(str(r.url), {self.name: self.value})
        return r


class ApiOAuth2(AuthBase):
    """A token by client credentials (RFC 6749, 4.4); a new one when it expires."""

    def __init__(self, settings: ApiOAuth2Settings, send: Send) -> None:
        self.settings, self.send = settings, send
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
            answer = self.send("POST", known.token_url, data=grant, auth=basic)
        except SourceError as error:
            if not error.final:
                raise
            # Not every server takes them in the header, as it must (2.3.1).
            answer = self.send("POST", known.token_url, data={**grant, **own}, auth=None)
        with closing(answer):
            found = answer.document()
        if not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
            raise SourceError(f"{place}: the answer has no access_token", final=True)
        self.token = found["access_token"]
        lasts = float(found.get("expires_in") or 3600)
        self.expires = time.monotonic() + max(lasts - 30, lasts / 2)
