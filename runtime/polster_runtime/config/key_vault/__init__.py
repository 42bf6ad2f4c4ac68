"""SECRETS=azure-key-vault: variables come from the vault of AZURE_KEY_VAULT_URL.

A secret has the name of its variable with dashes, since a vault allows no underscores:
`CRM-PASSWORD` is `CRM_PASSWORD`. Who may read it is this machine's identity, or the service
principal of AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from polster_runtime.errors import SettingsError

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient

NAME = "SECRETS=azure-key-vault"
VAULT = "AZURE_KEY_VAULT_URL"


class KeyVault:
    """The secrets of one vault."""

    def __init__(self, url: str, client: "SecretClient") -> None:
        self.url = url
        self.client = client

    def names(self) -> set[str]:
        """The variables that the vault has a secret for; those that are disabled are left out."""
        with _explained(self.url, "list"):
            found = [*self.client.list_properties_of_secrets()]
        return {(one.name or "").replace("-", "_").upper() for one in found if one.enabled}

    def get(self, name: str) -> str:
        """The newest value of the secret of a variable."""
        with _explained(self.url, f"get {name.replace('_', '-')}"):
            return self.client.get_secret(name.replace("_", "-")).value or ""


def connect() -> KeyVault:
    """The vault. Raises SettingsError; nothing is asked of it yet."""
    url = os.environ.get(VAULT, "").strip().rstrip("/")
    if not url:
        raise SettingsError(f"{VAULT} is not set; {NAME} reads the vault at that address")
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.username:
        raise SettingsError(f"{VAULT} must be an address such as https://NAME.vault.azure.net")
    try:
        from azure.identity import DefaultAzureCredential
        from azure.keyvault.secrets import SecretClient
    except ModuleNotFoundError:
        raise SettingsError(
            f"{NAME} needs two packages:  uv add azure-identity azure-keyvault-secrets"
        ) from None
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # what went wrong is said in a sentence
    return KeyVault(url, SecretClient(url, DefaultAzureCredential()))


@contextmanager
def _explained(url: str, what: str) -> Iterator[None]:
    """Turn what goes wrong with a vault in the block into a SettingsError, without its answer."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        status = f" ({error.status_code})" if error.status_code else ""
        raise SettingsError(
            f"{url} lets nobody in{status}: az login, or AZURE_CLIENT_ID, AZURE_TENANT_ID and "
            "AZURE_CLIENT_SECRET of a service principal"
        ) from None
    except HttpResponseError as error:
        raise SettingsError(_of_status(url, what, error.status_code or 0)) from None
    except (AzureError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise SettingsError(f"{url} cannot be reached: {reason}") from None


def _of_status(url: str, what: str, status: int) -> str:
    if status == 403:
        return (
            f"{url} refused to {what} (403): give this identity the role Key Vault Secrets User, "
            "and let its network in"
        )
    if status == 404:
        return f"{url} has no such secret any more ({what})"
    return f"{url} failed to {what} ({status})"
