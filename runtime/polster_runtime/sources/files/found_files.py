"""Which files a pattern names. Standard library only."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from polster_runtime.errors import SourceError


@dataclass(frozen=True)
class DataFile:
    """A file to read."""

    path: Path
    """Where its bytes are."""
    name: str
    """What messages and the column of file names call it."""

    @property
    def shown(self) -> str:
        """The name on one line, whatever characters are in it."""
        return shown(self.name)


class NoFiles(SourceError):
    """A pattern that no file matches."""


def shown(name: str) -> str:
    """Return a name for a message: line ends and other control characters are escaped."""
    if name.isprintable():
        return name
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "replace").decode()
        for sign in name
    )


def find_files(
    pattern: str | Path, root: Path | None = None, *, skip: Sequence[str] = ()
) -> list[DataFile]:
    """Return the files that a pattern names, in the order of their names.

    A relative pattern starts at `root`, which is the working directory if it is not given. Files
    whose names start with one of `skip` are left out. Raises SourceError for what is not a
    file, and NoFiles.
    """
    text = str(pattern)
    place = (root or Path.cwd()) / text
    if place.exists() or not has_magic(text):
        found = [place] if place.exists() else []
    else:
        # Directories that match a pattern are not meant; one that is named is an error below.
        matches = sorted(map(Path, glob(str(place), recursive=True)))  # noqa: PTH207 - of any root
        found = [path for path in matches if not path.is_dir()]
    found = [path for path in found if not path.name.startswith(tuple(skip))]
    if not found:
        raise NoFiles(f"no file matches {shown(text)}; check the path", final=True)
    files = [DataFile(path, _name(path, root)) for path in found]
    for file in files:
        check_readable(file)
    return files


def check_readable(file: DataFile) -> None:
    """Raise SourceError for what is not a regular file that can be opened."""
    try:
        mode = file.path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SourceError(
                f"{file.shown} is a directory; name its files, such as {file.shown}/*.csv",
                final=True,
            )
        if not stat.S_ISREG(mode):
            raise SourceError(f"{file.shown} is not a regular file", final=True)
        file.path.open("rb").close()
    except OSError as error:
        raise unreadable(file, error) from None


def unreadable(file: DataFile, error: OSError) -> SourceError:
    """Return what to raise for a file that the operating system does not let be read."""
    return SourceError(f"{file.shown} cannot be read: {error.strerror or error}")


Version = tuple[int, int]


def versions(files: Iterable[DataFile]) -> dict[DataFile, Version]:
    """Return size and time of modification of each file, to notice changes while it is read."""
    return {file: _version(file) for file in files}


def check_unchanged(before: dict[DataFile, Version]) -> None:
    """Raise SourceError for a file that was written to since `versions` was called."""
    for file, version in before.items():
        if _version(file) != version:
            raise SourceError(f"{file.shown} changed while it was read; run again")


def _version(file: DataFile) -> Version:
    try:
        info = file.path.stat()
    except OSError as error:
        raise unreadable(file, error) from None
    return info.st_size, info.st_mtime_ns


def _name(path: Path, root: Path | None) -> str:
    base = root or Path.cwd()
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
