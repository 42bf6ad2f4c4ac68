"""File systems in files: what a disk is left with when the power goes, and disks without links."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIZE = {"ext4": 96, "exfat": 64, "xfs": 320}
"""Megabytes; XFS takes no less."""


def new(image: Path, kind: str) -> Path:
    """Make a file that holds an empty file system: ext4, exfat or xfs."""
    with image.open("wb") as file:
        file.truncate(_SIZE[kind] * 2**20)
    quiet = [] if kind == "exfat" else ["-q"]
    _run(_program(f"mkfs.{kind}"), *quiet, str(image))
    return image


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """Mount a file system while the block runs; it is checked as after a loss of power."""
    at.mkdir(exist_ok=True)
    device = _run("losetup", "--find", "--show", str(image)).strip()
    try:
        if _run("blkid", "-o", "value", "-s", "TYPE", device).strip() == "exfat":
            _run(_program("mount.exfat-fuse"), device, str(at))
        else:
            _run("mount", device, str(at))
        try:
            yield at
        finally:
            _run("umount", str(at))
    finally:
        _run("losetup", "--detach", device)


def power_cut(image: Path, copy: Path) -> Path:
    """Copy a mounted file system as its disk has it now: what waits in memory is lost."""
    _run("cp", "--sparse=always", str(image), str(copy))
    return copy


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found, f"the tests need {name}: python -m tests.prepare"
    return found


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, f"{command}, which needs root: {done.stderr}"
    return done.stdout
