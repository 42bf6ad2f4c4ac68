"""Sessions with an SFTP server: settings, keys, and what errors mean.

Nothing is sent to a server that has not proved who it is.
"""

import re
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from polster_runtime.config import paths
from polster_runtime.config.environment import variables
from polster_runtime.config.settings import load
from polster_runtime.errors import SourceError, StorageError
from polster_runtime.storage.staging import NO_SPACE

ERROR_MESSAGES: dict[Any, str] = {
    asyncssh.PermissionDenied: "{user} is not let in; check {name}_USER and {secret}",
    ConnectionRefusedError: "connection refused; check {name}_HOST and {name}_PORT",
    **dict.fromkeys(
        (
            asyncssh.SFTPNoConnection,
            asyncssh.SFTPConnectionLost,
            asyncssh.ConnectionLost,
            ConnectionError,
        ),
        "the connection was lost; run it again, or check {name}_PORT",
    ),
    asyncssh.SFTPError: "{reason}; ask who runs the server",
    asyncssh.Error: "{reason}; check {name}_PORT, or ask who runs the server",
    socket.gaierror: "unknown host; check {name}_HOST",
    TimeoutError: "no answer; check {name}_HOST and {name}_PORT, and firewalls in between",
    OverflowError: "there is no such port; check {name}_PORT",
    OSError: "{reason}; run it again",
}
"""What each kind of error means, the first that fits."""


@dataclass(frozen=True, kw_only=True)
class SftpSettings:
    """One field a variable: `host` is SFTP_HOST, or CRM_HOST with connection="CRM"."""

    host: str
    user: str
    port: int = 22
    password: str = field(default="", repr=False)
    key_file: str = ""
    key_passphrase: str = field(default="", repr=False)
    known_hosts: str = "~/.ssh/known_hosts"
    """The file of the servers that are known, as ssh keeps it."""
    host_key: str = ""
    """The one key that the server must have, in place of known_hosts: ssh-ed25519 AAAA..."""
    timeout_seconds: float = 30.0
    min_age_seconds: float = 60.0
    """How long a file must have been left alone before it is read."""


@dataclass(frozen=True, kw_only=True)
class SftpPasswordSettings(SftpSettings):
    """Without a key file there must be a password."""

    password: str = field(repr=False)


def sftp_settings(connection: str = "SFTP") -> SftpSettings:
    """The settings of a connection. Raises SettingsError, which names all that lack."""
    by_key = variables().get(f"{connection}_KEY_FILE", "").strip()
    return load(SftpSettings if by_key else SftpPasswordSettings, prefix=connection)


@asynccontextmanager
async def sftp_client(connection: str) -> AsyncIterator[asyncssh.SFTPClient]:
    """A session. Raises SettingsError, and SourceError for what goes wrong with the server."""
    settings = sftp_settings(connection)
    trusted, refusing = _trusted_host_keys(connection, settings), _RefusingClient()
    with sftp_errors(connection):
        try:
            opened = await asyncssh.connect(
                settings.host,
                settings.port,
                username=settings.user,
                password=settings.password or None,
                client_keys=_private_keys(connection, settings),
                known_hosts=trusted,
                client_factory=lambda: refusing,
                config=None,
                agent_path=None,
                # As safe as the default, and twice as fast where the processor knows AES.
                encryption_algs="^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
                connect_timeout=settings.timeout_seconds,
                login_timeout=settings.timeout_seconds,
                keepalive_interval=settings.timeout_seconds / 2,
            )
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            known = trusted.match(settings.host, "", settings.port)[0]
            said = _reason_for_distrust(connection, refusing.offered, known, error)
            raise SourceError(said, final=True) from None
        async with opened, opened.start_sftp_client() as client:
            yield client


@contextmanager
def sftp_errors(connection: str) -> Iterator[None]:
    """Turn what goes wrong with the server into a SourceError."""
    try:
        yield
    except (asyncssh.Error, OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise StorageError(f"cannot write to {paths.staging_dir()}: {error}") from None
        settings, name = sftp_settings(connection), connection
        final = isinstance(error, asyncssh.PermissionDenied | OverflowError)
        said = next(text for kind, text in ERROR_MESSAGES.items() if isinstance(error, kind))
        said = said.format(
            reason=getattr(error, "reason", "") or error,
            user=settings.user,
            name=name,
            secret=f"{name}_KEY_FILE" if settings.key_file else f"{name}_PASSWORD",
        )
        server = f"{settings.host}:{settings.port}"
        raise SourceError(f"{server}: {said}", final=final) from error


@contextmanager
def sftp_file_errors(path: str) -> Iterator[None]:
    """Say which file or folder an error is about."""
    try:
        yield
    except asyncssh.SFTPNoSuchFile:
        raise SourceError(f"{path} is not on the server, or no longer; run it again") from None
    except asyncssh.SFTPPermissionDenied:
        raise SourceError(f"{path}: the server does not let it be read; ask who runs it") from None


class _RefusingClient(asyncssh.SSHClient):
    """Believes no server whose key is not known, and keeps the key."""

    offered: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Refuse; asyncssh asks only when it does not know the key."""
        self.offered = key
        return False


def _trusted_host_keys(connection: str, settings: SftpSettings) -> asyncssh.SSHKnownHosts:
    """The host keys to believe: the pinned one, else those of known_hosts."""
    if settings.host_key:
        key = re.search(r"(ssh|ecdsa|sk)-\S+ +AAAA\S+", settings.host_key)
        if not key:
            raise SourceError(f"{connection}_HOST_KEY is no key, ssh-ed25519 AAAA...", final=True)
        where, text = f"{connection}_HOST_KEY", f"* {key[0]}"
    else:
        file = _local_path(settings.known_hosts)
        where, text = str(file), file.read_text("utf-8") if file.is_file() else ""
    try:
        return asyncssh.import_known_hosts(text)
    except ValueError as error:
        raise SourceError(f"{where} cannot be read: {error}", final=True) from None


def _reason_for_distrust(
    connection: str, offered: asyncssh.SSHKey | None, known: Sequence[Any], error: Exception
) -> str:
    """What to say of a server that has not proved who it is."""
    settings = sftp_settings(connection)
    server, ask = f"{settings.host}:{settings.port}", "ask who runs the server"
    its, line = "of another kind", f"{connection}_HOST_KEY"
    if offered is not None:
        its = f"{offered.get_algorithm()} {offered.get_fingerprint()}"
        line = f"{line}={offered.export_public_key().decode().strip()}"
    elif not known or "host key" not in str(error):
        return f"{server}: {error}; {ask}"
    if not known:
        return f"the host key of {server} is not known: it is {its}; {ask}, then set {line}"
    before = " or ".join(key.get_fingerprint() for key in known)
    return (
        f"THE HOST KEY OF {server} HAS CHANGED: it is {its}, not {before}. Nothing was sent. "
        f"The server was set up again, or somebody else answers in its place; {ask}, "
        f"and only then set {line}"
    )


def _private_keys(connection: str, settings: SftpSettings) -> list[asyncssh.SSHKey] | None:
    if not settings.key_file:
        return None
    file, passphrase = _local_path(settings.key_file), settings.key_passphrase or None
    try:
        return [asyncssh.read_private_key(file, passphrase)]
    except OSError as error:
        problem = f"{file}: {error.strerror}; check {connection}_KEY_FILE"
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError) as error:
        problem = f"{file}: {error}; check {connection}_KEY_FILE and {connection}_KEY_PASSPHRASE"
    raise SourceError(problem, final=True)


def _local_path(path: str) -> Path:
    """A path of the settings: from the project's folder, or from that of the user."""
    return paths.project_root() / Path(path).expanduser()
