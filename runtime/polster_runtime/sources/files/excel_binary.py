"""Cells of .xls and .xlsb that hold an error. Standard library only.

[MS-XLS] is a stream of records inside of a container of sectors, [MS-CFB]; [MS-XLSB] has a part of
a zip file for each sheet.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from struct import iter_unpack, unpack_from

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""[MS-XLS] 2.5.10, [MS-XLSB] 2.5.98.2."""
Errors = Iterator[tuple[tuple[int, int], str]]
"""Row and column, both from 0 on, and the error."""
_LAST_SECTOR = 0xFFFFFFFA
"""No sector has this number or a larger one: the end of a chain does."""
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_MAX_SIZE_BYTES = 4


def xlsb_errors(book: zipfile.ZipFile, number: int) -> Errors:
    """Yield the errors of the sheet of a number, the first being 0."""
    row = 0
    for kind, data in _parts_of(book.read(_part(book, number))):
        if kind == 0:  # BrtRowHdr
            (row,) = unpack_from("<I", data)
        elif kind in {3, 11}:  # BrtCellError, BrtFmlaError
            yield (row, unpack_from("<I", data)[0]), _name(data[8])


def xls_errors(path: Path, number: int) -> Errors:
    """Yield the errors of the sheet of a number, the first being 0."""
    stream = _workbook(path.read_bytes())
    sheets = (data for kind, data in _records(stream, 0) if kind == 0x85)
    for sheet in islice(sheets, number, number + 1):
        for kind, data in _records(stream, unpack_from("<I", sheet)[0]):
            if kind == 0x205 and data[7]:  # BoolErr
                yield unpack_from("<HH", data), _name(data[6])
            if kind == 0x06 and data[12:14] == b"\xff\xff" and data[6] == 2:  # Formula
                yield unpack_from("<HH", data), _name(data[8])


def _name(code: int) -> str:
    return ERRORS.get(code, f"#ERROR {code}")


def _part(book: zipfile.ZipFile, number: int) -> str:
    """Return the name of the part that a sheet is in."""
    sheets = (data for kind, data in _parts_of(book.read("xl/workbook.bin")) if kind == 156)
    data = next(islice(sheets, number, None))
    (length,) = unpack_from("<I", data, 8)
    wanted = data[12 : 12 + 2 * length].decode("utf-16-le").encode()
    for relation in _RELATION.findall(book.read("xl/_rels/workbook.bin.rels")):
        fields = dict(re.findall(rb'\b(Id|Target)="([^"]*)"', relation))
        if fields.get(b"Id") == wanted:
            return posixpath.join("/xl", fields[b"Target"].decode()).lstrip("/")
    raise KeyError(wanted)


def _parts_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a part: kind and content. Both numbers have seven bits a byte."""
    place = 0
    while place < len(data):
        kind, place = _varying(data, place, 2)
        size, place = _varying(data, place, _MAX_SIZE_BYTES)
        yield kind, data[place : place + size]
        place += size


def _varying(data: bytes, place: int, most: int) -> tuple[int, int]:
    number = 0
    for count in range(most):
        byte = data[place + count]
        number |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            break
    return number, place + count + 1


def _records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a sheet or of the workbook, without those of charts inside of it."""
    depth = 0
    while place + 4 <= len(stream):
        kind, size = unpack_from("<HH", stream, place)
        depth += (kind == 0x809) - (kind == 0x0A)
        if not depth:
            return
        if depth == 1:
            yield kind, stream[place + 4 : place + 4 + size]
        place += 4 + size


def _workbook(data: bytes) -> bytes:
    """Return the stream of an .xls file that has its records."""
    shift, small_shift = unpack_from("<HH", data, 30)
    first_of_folder, cutoff, first_small = (unpack_from("<I", data, at)[0] for at in (48, 56, 60))
    size = 1 << shift

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    def chain(number: int, table: list[int]) -> Iterator[int]:
        while number < _LAST_SECTOR:
            yield number
            number = table[number]

    def joined(number: int) -> bytes:
        return b"".join(map(sector, chain(number, table)))

    places = list(unpack_from("<109I", data, 76))
    (further,) = unpack_from("<I", data, 68)
    while further < _LAST_SECTOR:
        *more, further = (number for (number,) in iter_unpack("<I", sector(further)))
        places += more
    used = (place for place in places if place < _LAST_SECTOR)
    table = [number for place in used for (number,) in iter_unpack("<I", sector(place))]
    folder = joined(first_of_folder)
    entries = {
        entry[: max(int.from_bytes(entry[64:66], "little") - 2, 0)].decode("utf-16-le"): entry
        for entry in (folder[at : at + 128] for at in range(0, len(folder), 128))
    }
    entry = entries.get("Workbook") or entries["Book"]
    start, length = unpack_from("<II", entry, 116)
    if length >= cutoff:
        return joined(start)[:length]
    small_size = 1 << small_shift
    small_table = [number for (number,) in iter_unpack("<I", joined(first_small))]
    held = joined(unpack_from("<I", entries["Root Entry"], 116)[0])
    pieces = (held[at * small_size : (at + 1) * small_size] for at in chain(start, small_table))
    return b"".join(pieces)[:length]
