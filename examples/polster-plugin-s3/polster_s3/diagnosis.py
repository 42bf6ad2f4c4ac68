"""What may be wrong on the way to S3, step by step."""

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from polster_runtime.config.settings import load
from polster_runtime.errors import StorageError, Unreachable
from polster_runtime.storage.snapshots import Snapshot, unique_name
from polster_s3.access import CONNECT_SECONDS, Access
from polster_s3.bucket import Bucket
from polster_s3.errors import MissingBucket


def diagnose() -> Iterator[tuple[str, Callable[[], str]]]:
    """The steps before a store is open, each with what does it."""

    def known() -> str:
        access = load(Access)
        return f"bucket {access.s3_bucket}, region {access.region}, {access.how}"

    def resolves() -> str:
        host, port = load(Access).address
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreachable(
                f"{host} does not resolve ({error.strerror}); check S3_REGION, S3_ENDPOINT and the "
                "DNS"
            ) from None
        return f"{host} is {found[0][4][0]}"

    def connects() -> str:
        host, port = load(Access).address
        try:
            with socket.create_connection((host, port), timeout=CONNECT_SECONDS):
                return f"port {port} is open"
        except OSError as error:
            raise Unreachable(
                f"{host}:{port} cannot be reached ({error.strerror or error}); check the proxy and "
                "the firewall here"
            ) from None

    def authenticates() -> str:
        access = load(Access)
        with suppress(MissingBucket):  # the next step says so
            Bucket.open(access).reach()
        return f"{access.how} is accepted"

    def bucket() -> str:
        Bucket.open(load(Access)).reach()
        return "it exists"

    yield "settings", known
    yield "name resolves", resolves
    yield "connects", connects
    yield "authenticates", authenticates
    yield "bucket", bucket
    yield "never overwrites", _never_overwrites


def _never_overwrites() -> str:
    """Whether a second writer of a path is refused: not every S3 does that."""
    data = Bucket.open(load(Access))
    path = f"{data.root}/_doctor/{unique_name()}"
    with tempfile.TemporaryDirectory() as folder, data.errors():
        file = Path(folder) / "probe"
        file.write_bytes(b"probe")
        data.put(file, path)
        try:
            data.put(file, path)
        except FileExistsError:
            return "of two runs that write the same file, one is refused"
        finally:
            data.delete(Snapshot((path,)))
    raise StorageError(
        "this S3 ignores If-None-Match: of two runs at once, one may overwrite the other; "
        "let one run end before the next begins, or use an S3 that knows it"
    )
