"""The data lake: Polars reads it by itself, adlfs lists it, Azure's client writes it whole.

Time limits and retries are set on all three: their own would wait for minutes. Upgrades of Polster
replace this file.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from adlfs import AzureBlobFileSystem  # type: ignore[import-untyped]
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobClient, BlobServiceClient, ExponentialRetry
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient
from azure.storage.blob.aio import ExponentialRetry as AsyncExponentialRetry

from polster_runtime.storage.backends.adls.access import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    DATA_SECONDS,
    RETRIES,
    Access,
)
from polster_runtime.storage.backends.adls.errors import explained
from polster_runtime.storage.backends.adls.upload import AT_ONCE, BLOCK_BYTES, Upload
from polster_runtime.storage.cloud import CloudStore

LIMITS: dict[str, Any] = {
    "connection_timeout": CONNECT_SECONDS,
    "read_timeout": ANSWER_SECONDS,
    "max_block_size": BLOCK_BYTES,
    "max_single_put_size": BLOCK_BYTES,
}
RETRY: dict[str, Any] = {
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 1,
    "retry_total": RETRIES,
}


class _Files(AzureBlobFileSystem):  # type: ignore[misc]
    """adlfs on a client with limits of ours: it takes none for most of what it does."""

    def __init__(self, access: Access) -> None:
        self.access = access
        super().__init__(account_name=access.account, anon=True, use_listings_cache=False)

    def do_connect(self) -> None:
        """Called once, by adlfs."""
        self.service_client = AsyncBlobServiceClient(
            self.access.endpoint,
            credential=_credential(self.access, for_async=True),
            retry_policy=AsyncExponentialRetry(**RETRY),
            **LIMITS,
        )


@dataclass(frozen=True)
class DataLake(CloudStore):
    """A folder of a container."""

    access: Access = field(default_factory=Access)
    client: BlobServiceClient | None = field(default=None, repr=False)
    uploads: dict[str, Upload] = field(default_factory=dict, repr=False)
    """What is on its way, by path, while it is still being written."""

    @staticmethod
    def open(access: Access) -> "DataLake":
        """The store; nothing is sent yet."""
        client = BlobServiceClient(
            access.endpoint,
            credential=_credential(access),
            retry_policy=ExponentialRetry(**RETRY),
            **LIMITS,
        )
        return DataLake(
            fs=_Files(access),
            root=f"{access.adls_container}/{access.base_path}",
            polars_options=_polars_options(access),
            falls_back=access.adls_fallback_to_local,
            access=access,
            client=client,
        )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Name the account, the container and what to do in place of Azure's pages of text."""
        try:
            yield
        except Exception as error:
            known = explained(error, self.access)
            if known is None:
                raise
            raise known from None

    def reach(self) -> None:
        """List one file. Raises Unreachable, and StorageError when Azure refuses."""
        container = self._client.get_container_client(self.access.adls_container)
        with self.errors():
            pages = container.list_blobs(f"{self.access.base_path}/", results_per_page=1)
            next(iter(pages), None)

    @contextmanager
    def ahead(self, path: str) -> Iterator[Callable[[Path], None]]:
        """Send what is staged for a path in the block while it is being written."""
        upload = self.uploads[path] = Upload(self._blob(path))
        try:
            yield upload.begin
        finally:
            self.uploads.pop(path).abandon()

    def put(self, file: Path, path: str) -> None:
        """Upload a file in blocks and let it appear whole. Raises FileExistsError."""
        mark = secrets.token_hex(8)
        try:
            upload = self.uploads.get(path)
            if upload and upload.has_sent(file):
                upload.finish(mark)
            else:
                self._put(file, path, mark)
        except ResourceExistsError:
            # It may be ours: a retry, after an answer that was lost.
            if self._blob(path).get_blob_properties().metadata.get("upload") != mark:
                raise FileExistsError(path) from None

    def _put(self, file: Path, path: str, mark: str) -> None:
        with file.open("rb") as content:
            self._blob(path).upload_blob(
                content,
                length=file.stat().st_size,
                overwrite=False,
                max_concurrency=AT_ONCE,
                metadata={"upload": mark},
            )

    def _blob(self, path: str) -> BlobClient:
        container, _, name = path.partition("/")
        return self._client.get_blob_client(container, name)

    @property
    def _client(self) -> BlobServiceClient:
        if self.client is None:
            raise RuntimeError("the lake is not open")
        return self.client


def _credential(access: Access, for_async: bool = False) -> Any:
    """What Azure's clients take."""
    if access.account_key:
        return {"account_name": access.account, "account_key": access.account_key}
    if access.sas_token:
        return access.sas_token
    identity: Any
    if for_async:
        from azure.identity import aio as identity
    else:
        from azure import identity
    if access.adls_client_secret:
        return identity.ClientSecretCredential(
            access.adls_tenant_id, access.adls_client_id, access.adls_client_secret
        )
    # It warns in a page of text for each of its ways, which ends in an error of ours anyway.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    return identity.DefaultAzureCredential()


def _polars_options(access: Access) -> dict[str, Any]:
    """What Polars takes: never its own guess, which is wrong with keys."""
    options: dict[str, Any] = {
        "account_name": access.account,
        "endpoint": access.endpoint,
        "allow_http": str(access.endpoint.startswith("http:")).lower(),
        "max_retries": RETRIES,
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "timeout": f"{DATA_SECONDS}s",
    }
    if access.account_key:
        options["account_key"] = access.account_key
    elif access.sas_token:
        options["sas_token"] = access.sas_token
    else:
        provider = pl.CredentialProviderAzure(credential=_credential(access))
        return {"storage_options": options, "credential_provider": provider}
    return {"storage_options": options, "credential_provider": None}
