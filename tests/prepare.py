"""Install what the tests need and pip cannot bring.

    python -m tests.prepare

That is a browser, databases, file systems, Node.js for the Azure emulator, git, and the Pythons
that Polster promises. Does nothing where they are there. Uses uv for the Pythons, and apt-get, as
root, for the rest; elsewhere it says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import pythons

PROGRAMS = {
    "chromium": ["chromium", "fonts-liberation"],
    "fish": ["fish"],
    "git": ["git"],
    "git-lfs": ["git-lfs"],
    "initdb": ["postgresql"],
    "mariadb": ["mariadb-server-core", "mariadb-client-core"],
    "mkfs.exfat": ["exfatprogs"],
    "mkfs.ext4": ["e2fsprogs"],
    "mkfs.xfs": ["xfsprogs"],
    "mount.exfat-fuse": ["exfat-fuse"],
    "node": ["nodejs"],
    "npm": ["npm"],
    "openssl": ["openssl"],
    "redis-server": ["redis-server"],
    "rsync": ["rsync"],
    "nginx": ["nginx-light"],
    "sftp": ["openssh-client"],
    "sshd": ["openssh-server"],
    "systemd-analyze": ["systemd"],
    "zsh": ["zsh"],
}
"""Each program, and the Debian packages that have it."""


def main() -> None:
    """Install what is missing."""
    install_pythons()
    install_programs()


def install_pythons() -> None:
    """Install the versions of Python that are missing."""
    missing = [version for version in pythons.VERSIONS if pythons.find(version) is None]
    if missing:
        subprocess.run([sys.executable, "-m", "uv", "python", "install", *missing], check=True)


def install_programs() -> None:
    """Install the programs that are missing."""
    missing = [name for name in PROGRAMS if not _is_there(name)]
    if not missing:
        return
    packages = [package for name in missing for package in PROGRAMS[name]]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.exit(f"error: the tests need {', '.join(missing)}: install them first")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.run(command, check=True, env=environment)


def _is_there(name: str) -> bool:
    """Whether a program is installed; Debian keeps some of them off the PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return bool(found or list(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))


if __name__ == "__main__":
    main()
