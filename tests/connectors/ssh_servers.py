"""SFTP servers on this machine: OpenSSH's own, and one of asyncssh that can be made to fail."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import asyncssh

from tests.services import free_port, wait_for

USER, PASSWORD, PASSPHRASE = "shop", "geh#eim und lang", "auch geheim"
_READY_SECONDS = 300.0
_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
PidFile none
AuthorizedKeysFile {authorized}
UsePAM no
StrictModes no
PasswordAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class Sshd:
    """A running sshd of OpenSSH, which lets in whoever runs the tests, with a key."""

    port: int
    folder: Path

    @property
    def host_key(self) -> str:
        """Return the server's own key, without a comment."""
        return " ".join((self.folder / "host.pub").read_text("utf-8").split()[:2])

    @property
    def key_file(self) -> Path:
        """Return the private key that is let in."""
        return self.folder / "user"

    def known_hosts(self, key: str = "") -> str:
        """Return what known_hosts says of the server: its key, or another."""
        return f"[127.0.0.1]:{self.port} {key or self.host_key}\n"

    def variables(self, prefix: str = "SFTP") -> dict[str, object]:
        """Return the variables of a connection."""
        known = self.folder / "known_hosts"
        known.write_text(self.known_hosts(), encoding="utf-8")
        return {
            f"{prefix}_HOST": "127.0.0.1",
            f"{prefix}_PORT": self.port,
            f"{prefix}_USER": getpass.getuser(),
            f"{prefix}_KEY_FILE": self.key_file,
            f"{prefix}_KNOWN_HOSTS": known,
            f"{prefix}_MIN_AGE_SECONDS": 0,
        }


def new_key(file: Path, passphrase: str = "", kind: str = "ed25519") -> None:
    """Write a key pair."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(file)]
    subprocess.run(command, check=True)


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Run OpenSSH's server on a free port."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Sshd(free_port(), folder)
    new_key(folder / "host")
    new_key(server.key_file)
    config = folder / "sshd_config"
    authorized = folder / "user.pub"
    config.write_text(
        _CONFIG.format(port=server.port, host_key=folder / "host", authorized=authorized), "utf-8"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(parents=True, exist_ok=True)  # sshd asks for it, and is root
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert program, "the tests need OpenSSH's server: python -m tests.prepare"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=log)
        try:
            wait_for(server.port, process)
            yield server
        finally:
            process.terminate()
            process.wait(30)


@dataclass
class Faulty:
    """A server of asyncssh whose root is a folder, and what goes wrong there.

    It lets in `USER` with `PASSWORD`, or with the key that was given.
    """

    root: Path
    host_key: str = ""
    port: int = 0
    vanish: set[str] = field(default_factory=set)
    """Files that are listed, and gone when they are read."""
    deny: set[str] = field(default_factory=set)
    """Files and folders that may not be read."""
    hang_up_at: int | None = None
    """After how many bytes the connection is cut."""
    grow: set[str] = field(default_factory=set)
    """Files that grow while they are read."""
    logins: list[str] = field(default_factory=list)
    """The names of those who asked to be let in."""
    sent: int = 0
    """Bytes of files."""

    def variables(self, prefix: str = "SFTP") -> dict[str, object]:
        """Return the variables of a connection with the password."""
        return {
            f"{prefix}_HOST": "127.0.0.1",
            f"{prefix}_PORT": self.port,
            f"{prefix}_USER": USER,
            f"{prefix}_PASSWORD": f"'{PASSWORD}'",
            f"{prefix}_HOST_KEY": self.host_key,
            f"{prefix}_MIN_AGE_SECONDS": 0,
        }


@contextmanager
def faulty(root: Path, *, port: int = 0, authorized: Path | None = None) -> Iterator[Faulty]:
    """Run a server with a new host key, on a free port or a given one."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    state = Faulty(root, key.export_public_key().decode().strip())
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=lambda: _Door(state),
            server_host_keys=[key],
            authorized_client_keys=str(authorized) if authorized else None,
            sftp_factory=lambda channel: _Files(channel, state),
        )

    async def close() -> None:
        server.close()
        await server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    state.port = server.get_port()
    try:
        yield state
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


class _Door(asyncssh.SSHServer):
    """Who is let in."""

    def __init__(self, state: Faulty) -> None:
        self.state = state

    def begin_auth(self, username: str) -> bool:
        self.state.logins.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


class _Files(asyncssh.SFTPServer):
    """The files of a folder, as far as the state lets them be read."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], state: Faulty) -> None:
        super().__init__(channel, chroot=os.fsencode(state.root))
        self.state = state

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        name = path.decode()
        if name in self.state.vanish:
            raise asyncssh.SFTPNoSuchFile("No such file")
        if name in self.state.deny:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        if name in self.state.grow:
            with (self.state.root / name.lstrip("/")).open("ab") as file:
                file.write(b"99,late\n")
        return super().open(path, pflags, attrs)

    def scandir(self, path: bytes) -> Any:
        if path.decode() in self.state.deny:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        return super().scandir(path)

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        data = super().read(file_obj, offset, size)
        assert isinstance(data, bytes)
        self.state.sent += len(data)
        if self.state.hang_up_at is not None and self.state.sent > self.state.hang_up_at:
            self.connection.abort()
        return data
