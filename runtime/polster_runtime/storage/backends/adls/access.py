"""Which data lake, and how to be let in: the ADLS_ variables."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from polster_runtime.config.root import project_name
from polster_runtime.errors import SettingsError

ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")
SECRETS = ("ADLS_ACCOUNT_KEY", "ADLS_SAS_TOKEN", "ADLS_CONNECTION_STRING", "ADLS_CLIENT_SECRET")
CONNECT_SECONDS = 5
ANSWER_SECONDS = 8
"""How long Azure may take to begin an answer."""
DATA_SECONDS = 60
"""How long a piece of data may take to come."""
RETRIES = 2


def _secret() -> Any:
    return field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Access:
    """One field a variable. With no secret, the identity of this machine is used."""

    adls_account_name: str = ""
    adls_container: str = ""
    adls_base_path: str = ""
    """Where in the container the data is; PROJECT/data unless given."""
    adls_account_key: str = _secret()
    adls_sas_token: str = _secret()
    adls_connection_string: str = _secret()
    adls_tenant_id: str = ""
    adls_client_id: str = ""
    adls_client_secret: str = _secret()
    adls_endpoint: str = ""
    """The address of the account, where it is not https://ACCOUNT.blob.core.windows.net."""
    adls_fallback_to_local: bool = False
    """Whether a run goes on here while Azure cannot be reached."""

    def __post_init__(self) -> None:
        given = [name for name in SECRETS if getattr(self, name.lower())]
        if len(given) > 1:
            raise SettingsError(f"{' and '.join(given)} are both set: keep one of them")
        if self.adls_client_secret and not (self.adls_tenant_id and self.adls_client_id):
            raise SettingsError("ADLS_CLIENT_SECRET needs ADLS_TENANT_ID and ADLS_CLIENT_ID")
        self._check_connection_string()
        if not ACCOUNT.fullmatch(self.account):
            raise SettingsError(
                "ADLS_ACCOUNT_NAME must be the name of a storage account alone, 3 to 24 lower-case "
                f"letters and digits such as mylake, not {self.account!r}"
            )
        if not CONTAINER.fullmatch(self.adls_container):
            raise SettingsError(
                "ADLS_CONTAINER must be 3 to 63 lower-case letters, digits and single dashes, "
                f"not {self.adls_container!r}"
            )
        if {"", ".", ".."} & set(self.base_path.split("/")) or "\\" in self.base_path:
            raise SettingsError(
                f"ADLS_BASE_PATH must be a path such as shop/data, not {self.adls_base_path!r}"
            )
        if urlsplit(self.endpoint).scheme not in {"https", "http"}:
            raise SettingsError(f"ADLS_ENDPOINT must be a URL, not {self.adls_endpoint!r}")
        if self.endpoint.startswith("http:") and not (self.account_key or self.sas_token):
            raise SettingsError(f"{self.how} needs https, not {self.endpoint}")
        self._check_key()

    @property
    def account(self) -> str:
        """The name of the account."""
        return self.adls_account_name or self._connection.get("accountname", "")

    @property
    def base_path(self) -> str:
        """Where in the container the data is."""
        return (self.adls_base_path or f"{project_name()}/data").strip("/")

    @property
    def endpoint(self) -> str:
        """The address of the account's blobs."""
        parts = self._connection
        suffix = parts.get("endpointsuffix", "core.windows.net")
        scheme = parts.get("defaultendpointsprotocol", "https")
        usual = f"{scheme}://{self.account}.blob.{suffix}"
        return (self.adls_endpoint or parts.get("blobendpoint", usual)).rstrip("/")

    @property
    def account_key(self) -> str:
        """The key of the account, if that is how to be let in."""
        return self.adls_account_key or self._connection.get("accountkey", "")

    @property
    def sas_token(self) -> str:
        """The shared access signature, if that is how to be let in."""
        token = self.adls_sas_token or self._connection.get("sharedaccesssignature", "")
        return token.removeprefix("?")

    @property
    def sas_expiry(self) -> str:
        """When the signature expires: its `se`."""
        return parse_qs(self.sas_token).get("se", [""])[0]

    @property
    def has_secret(self) -> bool:
        """Whether a secret is set; else the identity of this machine is used."""
        return any(getattr(self, name.lower()) for name in SECRETS)

    @property
    def how(self) -> str:
        """How to be let in, in words."""
        if self.account_key:
            return "the account key"
        if self.sas_token:
            return "the SAS token"
        return "the service principal" if self.adls_client_secret else "this machine's identity"

    @property
    def variable(self) -> str:
        """The variable to look at when that does not work."""
        given = [name for name in SECRETS if getattr(self, name.lower())]
        return given[0] if given else "az login, or the role of the managed identity"

    def __str__(self) -> str:
        return f"Azure Data Lake: account {self.account}, container {self.adls_container}"

    @property
    def _connection(self) -> dict[str, str]:
        pairs = (part.partition("=") for part in self.adls_connection_string.split(";"))
        return {name.strip().lower(): text.strip() for name, _, text in pairs if text}

    def _check_connection_string(self) -> None:
        parts = self._connection
        if not self.adls_connection_string:
            return
        if not {"accountkey", "sharedaccesssignature"} & parts.keys():
            raise SettingsError(
                "ADLS_CONNECTION_STRING must hold AccountName= and AccountKey=, or BlobEndpoint= "
                "and SharedAccessSignature=: copy all of it"
            )
        theirs = parts.get("accountname")
        if theirs and self.adls_account_name not in {"", theirs}:
            raise SettingsError(
                f"ADLS_ACCOUNT_NAME={self.adls_account_name}, but ADLS_CONNECTION_STRING is for "
                f"{theirs}"
            )

    def _check_key(self) -> None:
        try:
            base64.b64decode(self.account_key, validate=True)
        except binascii.Error:
            name = self.variable
            raise SettingsError(f"{name}: the account key is not whole: copy it again") from None
