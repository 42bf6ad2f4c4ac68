"""The variables of a connection to an API, by the way it lets one in."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True, kw_only=True)
class ApiBearerSettings(ApiSettings):
    """A token: API_TOKEN."""

    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ApiKeySettings(ApiSettings):
    """A key in a header: API_KEY and API_KEY_NAME."""

    key: str = field(repr=False)
    key_name: str = "X-API-Key"


@dataclass(frozen=True, kw_only=True)
class ApiQueryKeySettings(ApiSettings):
    """A key in the query: API_KEY and API_KEY_NAME."""

    key: str = field(repr=False)
    key_name: str = "api_key"


@dataclass(frozen=True, kw_only=True)
class ApiBasicSettings(ApiSettings):
    """A user and a password: API_USER and API_PASSWORD."""

    user: str
    password: str = field(repr=False)

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


API_AUTHENTICATIONS: Mapping[str, type[ApiSettings]] = {
    "none": ApiSettings,
    "bearer": ApiBearerSettings,
    "api-key": ApiKeySettings,
    "api-key-query": ApiQueryKeySettings,
    "basic": ApiBasicSettings,
    "oauth2": ApiOAuth2Settings,
}
