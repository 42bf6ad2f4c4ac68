"""Files inside files: gzip, bzip2, xz, zip; zstd from Python 3.14 on, or with backports.zstd."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import IO, cast

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.found_files import DataFile, unreadable

MAX_UNPACKED_BYTES = 32 * 2**30
"""How large a packed file may become, so that a small one cannot fill the disk."""
_BLOCK = 2**20
_HAS_ZSTD = sys.version_info >= (3, 14)


def _gzip(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(path, "rb"))


def _bzip2(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", bz2.BZ2File(path, "rb"))


def _xz(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", lzma.LZMAFile(path, "rb"))


def _zstd(path: Path) -> IO[bytes]:
    try:
        module = import_module("compression.zstd" if _HAS_ZSTD else "backports.zstd")
    except ImportError:
        raise SourceError(
            f"{path.name}: .zst needs the package backports.zstd; add it to the project's "
            "dependencies",
            final=True,
        ) from None
    return cast("IO[bytes]", module.ZstdFile(path, "rb"))


_OPENERS: dict[str, Callable[[Path], IO[bytes]]] = {
    ".gz": _gzip,
    ".bz2": _bzip2,
    ".xz": _xz,
    ".zst": _zstd,
}
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
_ENCRYPTED = 0x1


def is_packed(name: str) -> bool:
    """Whether a file's name says that it holds another, or others."""
    return PurePosixPath(name.lower()).suffix in {*_OPENERS, ".zip"}


def unpacked_name(name: str) -> str:
    """Return the name without the end that says how it is packed: a.csv of a.csv.gz."""
    suffix = PurePosixPath(name).suffix
    return name[: -len(suffix)] if suffix.lower() in _OPENERS else name


def unpack_all(
    files: Iterable[DataFile], folder: Path, limit: int = MAX_UNPACKED_BYTES
) -> Iterator[DataFile]:
    """Yield each file, or what it holds, which is written into a folder.

    There, too, is a link to a file whose path no library takes.

    Raises SourceError for a damaged or encrypted file, and for one that unpacks to more than
    `limit` bytes.
    """
    for number, file in enumerate(files):
        suffix = file.path.suffix.lower()
        if suffix == ".zip":
            yield from _members(file, folder, f"{number:06}", limit)
        elif suffix in _OPENERS:
            target = folder / f"{number:06}{_suffix(unpacked_name(file.name))}"
            with _errors_named(file, file.shown), _OPENERS[suffix](file.path) as packed:
                _copy(packed, target, limit, file.shown)
            yield DataFile(target, file.name)
        elif _is_text(str(file.path)):
            yield file
        else:
            target = folder / f"{number:06}{_suffix(file.path.name)}"
            target.symlink_to(file.path.absolute())
            yield DataFile(target, file.name)


def _members(file: DataFile, folder: Path, start: str, limit: int) -> Iterator[DataFile]:
    with _errors_named(file, file.shown):
        archive = zipfile.ZipFile(file.path)
    with archive:
        left = limit
        for number, member in enumerate(archive.infolist()):
            name = DataFile(file.path, f"{file.name}/{member.filename}")
            if member.is_dir() or member.filename.startswith("__MACOSX"):
                continue
            if member.flag_bits & _ENCRYPTED:
                raise SourceError(
                    f"{name.shown} is encrypted; unpack it before it is read", final=True
                )
            target = folder / f"{start}-{number:06}{_suffix(member.filename)}"
            with _errors_named(file, name.shown), archive.open(member) as packed:
                left -= _copy(packed, target, left, file.shown)
            yield DataFile(target, name.name)


def _copy(packed: IO[bytes], target: Path, limit: int, name: str) -> int:
    size = 0
    with target.open("wb") as out:
        while block := packed.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise SourceError(f"{name} unpacks to more than {limit:,} bytes", final=True)
            out.write(block)
    return size


def _is_text(path: str) -> bool:
    """Whether a path is characters, which libraries take; Linux allows any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _suffix(name: str) -> str:
    suffix = PurePosixPath(name.lower()).suffix
    return suffix if suffix[1:].isalnum() else ""


@contextmanager
def _errors_named(file: DataFile, name: str) -> Iterator[None]:
    """Turn what the libraries raise for a damaged file into a SourceError that names it."""
    try:
        yield
    except NotImplementedError as error:
        raise SourceError(
            f"{name} is compressed in a way that Python cannot read ({error}); "
            "pack it with deflate",
            final=True,
        ) from None
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno:
            raise unreadable(file, error) from None
        said = str(error) or "the data is damaged"
        raise SourceError(f"{name} cannot be unpacked: {said}", final=True) from None
    except SourceError:
        raise
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise SourceError(f"{name} cannot be unpacked: {error}", final=True) from None
