"""The bucket: Polars reads it by itself, s3fs lists it and writes it whole.

Time limits and retries are set on both: their own would wait for minutes.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import NoCredentialsError  # type: ignore[import-untyped]
from s3fs import S3FileSystem  # type: ignore[import-untyped]

from polster_runtime.storage.cloud import CloudStore
from polster_s3.access import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    DATA_SECONDS,
    RETRIES,
    Access,
)
from polster_s3.errors import explained, status

PART_BYTES = 8 * 2**20
MOST_PARTS = 10_000
"""S3 takes no more of one file."""
AT_ONCE = 4
"""Parts of a file that are sent at the same time."""
RACES = 3
"""How often S3 may say that two writers were there at the same moment."""
FRESH_SECONDS = 300
"""How long what lets us in is good for at the least: botocore renews it ten minutes ahead."""


class _Files(S3FileSystem):  # type: ignore[misc]
    retries = 1  # botocore tries again by itself


@dataclass(frozen=True)
class Bucket(CloudStore):
    """A folder of a bucket."""

    access: Access = field(default_factory=Access)

    @staticmethod
    def open(access: Access) -> "Bucket":
        """The store; nothing is sent yet. Raises SettingsError."""
        return Bucket(
            fs=_files(access),
            root=f"{access.s3_bucket}/{access.base_path}",
            polars_options=_polars_options(access),
            falls_back=access.s3_fallback_to_local,
            access=access,
        )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Name the bucket and what to do in place of what the libraries say."""
        try:
            yield
        except Exception as error:
            known = explained(error, self.access)
            if known is None:
                raise
            raise known from None

    def reach(self) -> None:
        """List one file. Raises Unreachable, and StorageError when S3 refuses."""
        prefix = f"{self.access.base_path}/"
        with self.errors():
            self.fs.call_s3(
                "list_objects_v2", Bucket=self.access.s3_bucket, Prefix=prefix, MaxKeys=1
            )

    def put(self, file: Path, path: str) -> None:
        """Upload a file in parts and let it appear whole. Raises FileExistsError."""
        mark = secrets.token_hex(8)
        part = max(PART_BYTES, -(-file.stat().st_size // MOST_PARTS))
        for left in reversed(range(RACES)):
            try:
                self.fs.put_file(
                    str(file), path, mode="create", chunksize=part, Metadata={"upload": mark}
                )
                return
            except OSError as error:
                code = status(error)
                if code == 409 and left:
                    time.sleep(0.1)
                    continue
                # It may be ours: a retry, after an answer that was lost.
                if code in {404, 412} and self._is_ours(path, mark):
                    return
                if code == 412:
                    raise FileExistsError(path) from None
                raise

    def _is_ours(self, path: str, mark: str) -> bool:
        try:
            found: dict[str, Any] = self.fs.metadata(path, refresh=True)
        except FileNotFoundError:
            return False
        return found.get("upload") == mark


def _files(access: Access) -> S3FileSystem:
    """s3fs, with limits, and none of its caches."""
    config: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": RETRIES + 1},
    }
    if access.s3_endpoint:  # others know neither names in the host nor the newest checksums
        config |= {
            "s3": {"addressing_style": "path"},
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
    return _Files(
        key=access.s3_access_key_id or None,
        secret=access.s3_secret_access_key or None,
        token=access.s3_session_token or None,
        profile=access.s3_profile or None,
        endpoint_url=access.s3_endpoint or None,
        client_kwargs={"region_name": access.region},
        config_kwargs=config,
        max_concurrency=AT_ONCE,
        use_listings_cache=False,
        skip_instance_cache=True,
    )


@dataclass(frozen=True)
class _Identity:
    """Who this machine is, for Polars: it asks again when the time that it was told is over."""

    access: Access

    def __call__(self) -> tuple[dict[str, str | None], int]:
        found = self.access.session.get_credentials()
        if found is None:
            raise NoCredentialsError
        key = found.get_frozen_credentials()
        options = {"aws_access_key_id": key.access_key, "aws_secret_access_key": key.secret_key}
        if key.token:
            options["aws_session_token"] = key.token
        return options, int(time.time()) + FRESH_SECONDS


def _polars_options(access: Access) -> dict[str, Any]:
    """What Polars takes: never its own guess, which may be somebody else's key."""
    options: dict[str, Any] = {
        "aws_region": access.region,
        "aws_endpoint_url": access.endpoint,
        "aws_virtual_hosted_style_request": "false",
        "allow_http": str(access.endpoint.startswith("http:")).lower(),
        "max_retries": RETRIES,
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "timeout": f"{DATA_SECONDS}s",
    }
    if not access.s3_access_key_id:
        return {"storage_options": options, "credential_provider": _Identity(access)}
    options["aws_access_key_id"] = access.s3_access_key_id
    options["aws_secret_access_key"] = access.s3_secret_access_key
    if access.s3_session_token:
        options["aws_session_token"] = access.s3_session_token
    return {"storage_options": options, "credential_provider": None}
