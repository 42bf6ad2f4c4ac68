"""The encoding of a text file, found out from its bytes. Standard library only."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.found_files import DataFile

SAMPLE_BYTES = 2**20
"""How much of a file is looked at to find out what it is."""
# The longer first: UTF-32 begins as UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_KINDS = {
    (0, b"\x1f\x8b\x08"): "packed by gzip, which a name that ends with .gz would say",
    (0, b"PK\x03\x04"): "a zip archive, or a workbook",
    (0, b"\xfd7zXZ\x00"): "packed by xz",
    (0, b"\x28\xb5\x2f\xfd"): "packed by zstd",
    (0, b"7z\xbc\xaf\x27\x1c"): "a 7z archive",
    (0, b"PAR1"): "Parquet",
    (0, b"%PDF-"): "PDF",
    (257, b"ustar"): "a tar archive",
}
"""Where the bytes are that tell it, and which."""
_WORD = re.compile(r"\w+")
_WESTERN = frozenset("€‚„…‰‹›‘’“”•–—™¡¢£¥§©ª«¬®°±²³´µ¶·¹º»¼½¾¿×÷ \xad¨¸")  # noqa: RUF001
# Polish ą and ł, written in cp1250, come out so; m³ is a unit.
_POLISH = re.compile(r"(?<![mM])[¹³]|[¹³]\w")
_OLD = {
    "mac_roman": re.compile(r"[^\W\d_][‰•§Š](?=[a-zß-ÿ])|[a-zß-ÿ]Ž|\bƒ[a-z]|Ÿ[a-zß-ÿ]"),
    "cp850": re.compile(r"[^\W\d_][‚„”‹¤¡ƒ](?=[a-zß-ÿ])|™[a-z]"),  # noqa: RUF001
}
"""Letters of words that old Macs and DOS wrote, as they look in cp1252: MŸller, K”ln."""
_MIN_NUL_SHARE = 0.2
_GUESS = "cp1252"


def sample(file: DataFile, size: int = SAMPLE_BYTES) -> bytes:
    """Return the beginning of a file. Raises SourceError for one that is packed, or no text."""
    with file.path.open("rb") as data:
        beginning = data.read(size)
    for (start, sign), kind in _OTHER_KINDS.items():
        if beginning.startswith(sign, start):
            raise SourceError(
                f"{file.shown} is no text: it is {kind}; unpack it, or name the reader of its kind",
                final=True,
            )
    return beginning


def known_encoding(name: str) -> str:
    """Return Python's name of an encoding. Raises SourceError for one that there is not."""
    try:
        found = codecs.lookup(name).name
        "".encode(found)
    except (LookupError, TypeError, ValueError):
        raise SourceError(
            f"there is no text encoding {name!r}; some are utf-8, cp1252, utf-16", final=True
        ) from None
    return found


def find_encoding(file: DataFile, data: bytes | None = None) -> str:
    """Return the encoding of a file whose beginning is `data`.

    A byte order mark decides; then whether the bytes are UTF-8. What is not is taken for Windows
    Western European (cp1252), of which ISO 8859-1 is a part, if it makes words of that. Raises
    SourceError where it does not: other encodings cannot be told from each other with certainty.
    Text of old Macs and DOS is recognised by most of its letters, not by all.
    """
    data = sample(file) if data is None else data
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if wide := _wide(data):
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return _legacy(file, data)
    return "utf-8"


def first_not_utf8(path: Path, block: int = 2**24) -> int | None:
    """Return the offset of the first byte of a file that is not UTF-8; None if all of it is."""
    decoder, offset = codecs.getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as data:
        while True:
            chunk = data.read(block)
            left = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return offset - left + error.start
            if not chunk:
                return None
            offset += len(chunk)


def warn_of_guesses(encodings: Mapping[DataFile, str]) -> None:
    """Doubt the files that were taken for cp1252, since they are not UTF-8 and nobody said more."""
    if names := [file.shown for file, encoding in encodings.items() if encoding == _GUESS]:
        from polster_runtime.sources.base import doubt

        files = "1 file" if len(names) == 1 else f"{len(names)} files"
        doubt(
            f"{files}, such as {names[0]}, read as cp1252, being no UTF-8: name the encoding, that "
            'or another, with encoding="cp1252"'
        )


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: text of it has NUL in every other byte, if it is mostly Latin."""
    for name, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        half, other = data[start::2], data[1 - start :: 2]
        if half.count(0) > _MIN_NUL_SHARE * len(half) and not other.count(0):
            return name
    return ""


def _legacy(file: DataFile, data: bytes) -> str:
    if not _makes_words(data, _GUESS):
        raise SourceError(
            f"{file.shown} is not UTF-8; say which encoding it has: encoding={guess(data)!r}",
            final=True,
        )
    return _GUESS


def guess(data: bytes) -> str:
    """Return the likely encoding of some bytes, for a message."""
    seen = data.decode(_GUESS, "replace")
    likely = (name for name, signs in _OLD.items() if signs.search(seen))
    for name in (_GUESS, *likely, *_OLD):
        if _makes_words(data, name):
            return name
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return _GUESS
    best = from_bytes(data[: 2**16]).best()
    return best.encoding if best else _GUESS


def _makes_words(data: bytes, encoding: str) -> bool:
    """Whether bytes are words of Western Europe in an encoding."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return _is_western(text) and not any(signs.search(text) for signs in _OLD.values())


def _is_western(text: str) -> bool:
    """Whether letters beyond ASCII stand in words with others, and signs beside words."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    beyond = sum(sign > "\x7f" for word in words for sign in word)
    if 2 * beyond > sum(map(len, words)) + 1:
        return False  # words of such letters only: Cyrillic, Greek
    if any(_POLISH.search(word) for word in words):
        return False
    return all(
        sign <= "\x7f" or "À" <= sign <= "ÿ" or sign in _WESTERN or sign in "ŠšŽžŒœŸƒ"
        for sign in text
    )
