"""A project made by Polster 0.1.0, kept as an archive: what `polster upgrade` has to cope with.

The archive was written by this module, with the command line of the commit that 0.1.0 was:

    git worktree add ../polster-0.1.0 8bb225a
    python -m venv ../polster-0.1.0/.venv
    ../polster-0.1.0/.venv/bin/pip install ../polster-0.1.0
    python -m tests.upgrade.fixture ../polster-0.1.0/.venv/bin/polster
"""

from __future__ import annotations

import lzma
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

ARCHIVE = Path(__file__).parent / "fixtures" / "shop-0.1.0.tar.xz"
NAME = "shop"
_COMMANDS = (
    f"init {NAME} --no-setup --no-git",
    "add-asset --layer bronze --name payments --template mysql --table payments",
    "storage add adls",
    "add-cicd github-actions",
)


def unpack(folder: Path) -> Path:
    """Lay the project out in a folder, and return its root."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / NAME


def make(polster: str) -> bytes:
    """Return the archive of a project that a command line makes; equal projects, equal bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for command in _COMMANDS:
            root = Path(folder) if command.startswith("init") else Path(folder, NAME)
            subprocess.run([polster, *command.split()], cwd=root, check=True)
        packed = BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted(Path(folder, NAME).rglob("*")):
                if path.is_file():
                    archive.addfile(_info(path, Path(folder)), BytesIO(path.read_bytes()))
    return lzma.compress(packed.getvalue(), preset=9)


def _info(path: Path, folder: Path) -> tarfile.TarInfo:
    """Describe a file without its owner and its time."""
    info = tarfile.TarInfo(path.relative_to(folder).as_posix())
    info.size, info.mode = path.stat().st_size, 0o755 if path.stat().st_mode & 0o100 else 0o644
    return info


if __name__ == "__main__":
    ARCHIVE.write_bytes(make(str(Path(sys.argv[1]).resolve())))
