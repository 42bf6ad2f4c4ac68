"""Which bucket, and how to be let in: the S3_ variables."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ProfileNotFound  # type: ignore[import-untyped]
from botocore.session import Session  # type: ignore[import-untyped]

from polster_runtime.config.root import project_name
from polster_runtime.errors import SettingsError

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
CONNECT_SECONDS = 5
ANSWER_SECONDS = 8
"""How long S3 may take to begin an answer."""
DATA_SECONDS = 60
"""How long a piece of data may take to come."""
RETRIES = 2


def _secret() -> Any:
    return field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Access:
    """One field a variable. With no key and no profile, the identity of this machine is used."""

    s3_bucket: str = ""
    s3_base_path: str = ""
    """Where in the bucket the data is; PROJECT/data unless given."""
    s3_region: str = ""
    s3_endpoint: str = ""
    """The address of an S3 that is not Amazon's."""
    s3_access_key_id: str = ""
    s3_secret_access_key: str = _secret()
    s3_session_token: str = _secret()
    s3_profile: str = ""
    s3_fallback_to_local: bool = False
    """Whether a run goes on here while S3 cannot be reached."""

    def __post_init__(self) -> None:
        if not BUCKET.fullmatch(self.s3_bucket):
            raise SettingsError(
                "S3_BUCKET must be the name of a bucket alone, 3 to 63 lower-case letters, digits, "
                f"dots and dashes, not {self.s3_bucket!r}"
            )
        if {"", ".", ".."} & set(self.base_path.split("/")) or "\\" in self.base_path:
            raise SettingsError(
                f"S3_BASE_PATH must be a path such as shop/data, not {self.s3_base_path!r}"
            )
        if self.s3_endpoint and not re.match(r"https?://[^/]", self.s3_endpoint):
            raise SettingsError(f"S3_ENDPOINT must be a URL, not {self.s3_endpoint!r}")
        if bool(self.s3_access_key_id) != bool(self.s3_secret_access_key):
            raise SettingsError("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together")
        if self.s3_session_token and not self.s3_access_key_id:
            raise SettingsError("S3_SESSION_TOKEN needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY")
        if self.s3_access_key_id and self.s3_profile:
            raise SettingsError("S3_ACCESS_KEY_ID and S3_PROFILE are both set: keep one of them")

    @property
    def base_path(self) -> str:
        """Where in the bucket the data is."""
        return (self.s3_base_path or f"{project_name()}/data").strip("/")

    @cached_property
    def session(self) -> Session:
        """What knows the identity of this machine: variables, profiles, roles."""
        session = Session(profile=self.s3_profile or None)
        try:
            session.get_scoped_config()
        except ProfileNotFound:
            raise SettingsError(
                f"S3_PROFILE={self.s3_profile}: ~/.aws has no such profile"
            ) from None
        return session

    @cached_property
    def region(self) -> str:
        """The region of the bucket. Raises SettingsError where Amazon's is not known."""
        found = self.s3_region or self.session.get_config_variable("region") or ""
        if not found and not self.s3_endpoint:
            raise SettingsError("S3_REGION is not set: the region of the bucket, such as eu-west-1")
        return str(found) or "us-east-1"

    @property
    def endpoint(self) -> str:
        """The address of S3."""
        return self.s3_endpoint.rstrip("/") or f"https://s3.{self.region}.{self._suffix}"

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port to connect with."""
        parts = urlsplit(self.endpoint)
        return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)

    @property
    def how(self) -> str:
        """How to be let in, in words."""
        if self.s3_access_key_id:
            return f"the key {self.s3_access_key_id}"
        return f"the profile {self.s3_profile}" if self.s3_profile else "this machine's identity"

    @property
    def variable(self) -> str:
        """What to look at when that does not work."""
        if self.s3_access_key_id:
            return "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"
        return "S3_PROFILE" if self.s3_profile else "aws configure, or the role of the machine"

    def __str__(self) -> str:
        return f"S3: bucket {self.s3_bucket}"

    @property
    def _suffix(self) -> str:
        return "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
