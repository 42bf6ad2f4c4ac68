"""The base of every merge: `.polster/base.zip` has the shared files as Polster last generated them.

One archive instead of a second copy of the tree, so that neither a search nor a review meets it.
Equal texts make equal bytes on any machine that compresses alike; where it compresses otherwise,
the texts are compared, and an archive with the same texts is left alone.

A project made by Polster 0.1.0 has the texts as plain files below `.polster/base/`, each with
`.base` behind its name; they are read as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from polster_core.errors import PolsterError
from polster_core.types import NewFile

PATH = PurePosixPath(".polster/base.zip")
OLD_FOLDER = PurePosixPath(".polster/base")
_OLD_SUFFIX = ".base"
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can hold."""
_MODE = 0o644 << 16

Texts = Mapping[PurePosixPath, bytes]


def read_base(root: Path) -> dict[PurePosixPath, bytes]:
    """Return the generated texts of a project by path; empty where none were kept.

    Raises PolsterError where the archive cannot be read.
    """
    from zipfile import BadZipFile, ZipFile
    from zlib import error as ZlibError  # noqa: N812 - an exception's name

    try:
        with ZipFile(root / PATH) as archive:
            return {PurePosixPath(name): archive.read(name) for name in archive.namelist()}
    except (FileNotFoundError, NotADirectoryError):
        return _read_old(root / OLD_FOLDER)
    except (OSError, BadZipFile, ZlibError, NotImplementedError, RuntimeError, EOFError) as error:
        raise PolsterError(
            f"{PATH} cannot be read: {error}", hint=f"restore it:  git checkout {PATH}"
        ) from error


def pack_base(texts: Texts) -> bytes:
    """Return an archive of texts, in the order of their paths and without times."""
    from io import BytesIO
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for path in sorted(texts):
            info = ZipInfo(str(path), date_time=_TIME)
            info.compress_type, info.external_attr, info.create_system = ZIP_DEFLATED, _MODE, 3
            archive.writestr(info, texts[path])
    return packed.getvalue()


def base_file(root: Path | None, texts: Texts) -> NewFile:
    """Return the archive that a project shall have: the present one, where it has these texts."""
    try:
        if root and (root / PATH).is_file() and read_base(root) == dict(texts):
            return NewFile(path=PATH, text=(root / PATH).read_bytes(), origin="polster")
    except PolsterError:
        pass  # one that cannot be read is replaced
    return NewFile(path=PATH, text=pack_base(texts), origin="polster")


def _read_old(folder: Path) -> dict[PurePosixPath, bytes]:
    return {
        PurePosixPath(path.relative_to(folder).as_posix()).with_suffix(""): path.read_bytes()
        for path in sorted(folder.rglob(f"*{_OLD_SUFFIX}"))
        if path.is_file()
    }


__all__ = ["OLD_FOLDER", "PATH", "Texts", "base_file", "pack_base", "read_base"]
