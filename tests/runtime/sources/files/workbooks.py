"""Workbooks in the formats that no package writes: .xls and .xlsb, as small as can be."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from struct import pack

Cell = str | float | int | tuple[int]
"""A text, a number, the code of an error, or in a tuple that of a formula that ends with it."""
Cells = Iterable[tuple[int, int, Cell]]
"""Row, column, both from 0 on, and what is in the cell; row by row."""
_END, _FREE, _OF_TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_TYPE_OF_BOOK = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"


def write_xls(path: Path, cells: Cells, *, small: bool) -> None:
    """Write a workbook of one sheet; a small stream is stored in another way, [MS-CFB] 2.6.4."""
    sheet = _record(0x809, pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for row, column, cell in cells:
        at = pack("<HHH", row, column, 15)
        if isinstance(cell, str):
            sheet += _record(0x204, at + pack("<HB", len(cell), 0) + cell.encode())
        elif isinstance(cell, float):
            sheet += _record(0x203, at + pack("<d", cell))
        elif isinstance(cell, int):
            sheet += _record(0x205, at + bytes([cell, 1]))
        else:
            ends = bytes([2, 0, cell[0], 0, 0, 0, 255, 255])
            sheet += _record(0x06, at + ends + pack("<HIH", 0, 0, 0))
    sheet += _record(0x0A, b"")
    stream = _book(len(_book(0))) + sheet
    path.write_bytes(_container(stream if small else stream.ljust(4096, b"\0")))


def _book(place: int) -> bytes:
    start = _record(0x809, pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    return start + _record(0x85, pack("<IHBB", place, 0, 1, 0) + b"A") + _record(0x0A, b"")


def _record(kind: int, data: bytes) -> bytes:
    return pack("<HH", kind, len(data)) + data


def _container(stream: bytes) -> bytes:
    """Return a container with one stream, whose table is its first sector."""
    small, sectors, table = len(stream) < 4096, list[bytes](), [_OF_TABLE]

    def put(data: bytes) -> int:
        start = len(sectors) + 1
        sectors.extend(data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512))
        table.extend([*range(start + 1, len(sectors) + 1), _END])
        return start

    start, small_table = put(stream), _END
    if small:
        pieces = -(-len(stream) // 64)
        small_table = put(_numbers([*range(1, pieces), _END]))
    root = (start, len(stream)) if small else (_END, 0)
    entries = _entry("Root Entry", 5, *root, child=1)
    entries += _entry("Workbook", 2, 0 if small else start, len(stream))
    folder = put(entries)
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    head += bytes(6) + pack("<5I", 0, 1, folder, 0, 4096)
    head += pack("<5I", small_table, small, _END, 0, 0)
    return head.ljust(512, b"\xff") + _numbers(table) + b"".join(sectors)


def _numbers(numbers: list[int]) -> bytes:
    return pack(f"<{len(numbers)}I", *numbers).ljust(512, b"\xff")


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE) -> bytes:
    text = f"{name}\0".encode("utf-16-le")
    links = pack("<HBBIII", len(text), kind, 1, _FREE, _FREE, child)
    return (text.ljust(64, b"\0") + links).ljust(116, b"\0") + pack("<IQ", start, size)


def write_xlsb(path: Path, cells: Cells) -> None:
    """Write a workbook of one sheet."""
    sheet, last = _part(129) + _part(148, pack("<4I", 0, 9, 0, 9)) + _part(145), -1
    for row, column, cell in cells:
        if row != last:
            sheet, last = sheet + _part(0, pack("<I", row) + bytes(21)), row
        at = pack("<II", column, 0)
        if isinstance(cell, str):
            sheet += _part(6, at + _wide(cell))
        elif isinstance(cell, float):
            sheet += _part(5, at + pack("<d", cell))
        elif isinstance(cell, int):
            sheet += _part(3, at + bytes([cell]))
        else:
            sheet += _part(11, at + bytes([*cell, *bytes(10)]))
    named = _part(156, pack("<II", 0, 1) + _wide("rId1") + _wide("A"))
    book = _part(131) + _part(143) + named + _part(144) + _part(132)
    relation = f'<Relationship Id="rId1" Type="{_RELATIONS}" Target="worksheets/sheet1.bin"/>'
    kind = f'<Default Extension="bin" ContentType="{_TYPE_OF_BOOK}"/>'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", f'<Types xmlns="{_TYPES}">{kind}</Types>')
        links = f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>'
        file.writestr("xl/_rels/workbook.bin.rels", links)
        file.writestr("xl/workbook.bin", book)
        file.writestr("xl/worksheets/sheet1.bin", sheet + _part(146) + _part(130))


def _part(kind: int, data: bytes = b"") -> bytes:
    assert len(data) < 128
    number = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    return number + bytes([len(data)]) + data


def _wide(text: str) -> bytes:
    return pack("<I", len(text)) + text.encode("utf-16-le")
