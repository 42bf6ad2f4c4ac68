"""Install what the tests need and pip cannot bring: a browser, Node.js for the Azure emulator, git.

    python -m tests.prepare

Does nothing where they are there. Uses apt-get, as root; elsewhere it says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = {
    "chromium": ["chromium", "fonts-liberation"],
    "git": ["git"],
    "node": ["nodejs"],
    "npm": ["npm"],
}
"""Each program, and the Debian packages that have it."""


def main() -> None:
    """Install what is missing."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    packages = [package for name in missing for package in PROGRAMS[name]]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.exit(f"error: the tests need {', '.join(missing)}: install them first")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
