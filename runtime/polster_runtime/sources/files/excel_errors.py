"""Cells of workbooks that hold an error, such as #REF!, which fastexcel and calamine pass over.

Reads the XML of .xlsx and .xlsm (ECMA-376, part 1, 18.3.1.4) and of .ods, and what is binary.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
from collections.abc import Iterator
from html import unescape
from xml.etree import ElementTree as ET

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.excel_binary import xls_errors, xlsb_errors
from polster_runtime.sources.files.found_files import DataFile

_CELL = re.compile(
    rb"""<(?:\w+:)?c\b(?P<head>[^>]*\st=["']e["'][^>]*?)(?:/>|>(?P<body>.*?)</(?:\w+:)?c>)""",
    re.DOTALL,
)
_EMPTY = rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
_NO_RESULT = re.compile(rb"(?:f|/)>" + _EMPTY)
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b(?P<head>[^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)" + _EMPTY
)
_TEXT_SIGNS = (b't="str"', b"t='str'")
"""Of cells whose result is a text, which may be empty."""
_SIGNS = (b't="e"', b"t='e'")
_PLACE = re.compile(rb"""\sr=["']([A-Z]+)(\d+)["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>(.*?)</(?:\w+:)?v>", re.DOTALL)
_VALUES = (b"<v>", b"<v ", b"<is>", b"<is ")
"""How the values of cells begin: numbers and shared texts, and texts that are in the cell."""
_BLOCK_END = 3
_ODS_ERROR = 'calcext:value-type="error"'
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How files begin that [MS-CFB] describes: .xls, and whatever has a password."""
_BLOCK = 2**20
_LONGEST = 2**15
"""More than a cell with an error takes, whose formula has at most 8,192 characters."""


def check_plain(file: DataFile) -> None:
    """Raise SourceError for a workbook with a password: an OLE container where XML is expected."""
    if _is_container(file) and file.path.suffix.lower() != ".xls":
        raise SourceError(
            f"{file.shown} is encrypted, or an old .xls; save it without a password, or name it "
            ".xls",
            final=True,
        )


def _is_container(file: DataFile) -> bool:
    with file.path.open("rb") as data:
        return data.read(len(_OLE)) == _OLE


def error_cells(file: DataFile, sheet: str, number: int) -> dict[tuple[int, int], str]:
    """Return the errors of a sheet: row and column, both from 0 on -> text.

    `number` is that of the sheet, the first being 0. Raises SourceError where they cannot be told.
    """
    try:
        return _error_cells(file, sheet, number)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise SourceError(
            f"{file.shown}, sheet {sheet}: whether cells hold errors cannot be told ({error!r}); "
            "save the workbook as .xlsx",
            final=True,
        ) from None


def _error_cells(file: DataFile, sheet: str, number: int) -> dict[tuple[int, int], str]:
    if _is_container(file):
        return dict(xls_errors(file.path, number))
    if not zipfile.is_zipfile(file.path):
        return {}
    with zipfile.ZipFile(file.path) as book:
        names = set(book.namelist())
        if "xl/workbook.bin" in names:
            return dict(xlsb_errors(book, number))
        if "content.xml" in names:
            _check_ods(book, file, sheet)
            return {}
        part = _part(book, sheet) if "xl/workbook.xml" in names else ""
        return dict(_errors(book, part, file, sheet)) if part in names else {}


def count_values(file: DataFile, sheet: str) -> int:
    """Return how many cells of a sheet of .xlsx have a value, or more; 0 where it is not known."""
    if not zipfile.is_zipfile(file.path):
        return 0
    with zipfile.ZipFile(file.path) as book:
        part = _part(book, sheet) if "xl/workbook.xml" in book.namelist() else ""
        if part not in book.namelist():
            return 0
        count, end = 0, b""
        with book.open(part) as data:
            while block := data.read(_BLOCK):
                for sign in _VALUES:
                    count += (end[-len(sign) + 1 :] + block).count(sign)
                end = block[-_BLOCK_END:]
        return count


def _part(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part that a sheet is in."""
    for element in ET.fromstring(book.read("xl/workbook.xml")).iter():  # noqa: S314
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            wanted = next((v for key, v in element.items() if key.endswith("}id")), "")
            relations = ET.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
            for relation in relations:
                if relation.get("Id") == wanted:
                    return posixpath.join("/xl", relation.get("Target", "")).lstrip("/")
    return ""


def _errors(
    book: zipfile.ZipFile, part: str, file: DataFile, sheet: str
) -> Iterator[tuple[tuple[int, int], str]]:
    held = b""
    with book.open(part) as data:
        while block := data.read(_BLOCK):
            held += block
            end = 0
            _check_formulas(held, file, sheet)
            has_any = any(sign in held for sign in _SIGNS)  # far faster than to look at all cells
            for cell in _CELL.finditer(held) if has_any else ():
                end, place = cell.end(), _PLACE.search(cell["head"])
                value = _VALUE.search(cell["body"] or b"")
                if not place or not value:
                    raise SourceError(
                        f"{file.shown}, sheet {sheet}: a cell holds an error, but does not say "
                        "which; save the workbook again",
                        final=True,
                    )
                yield (int(place[2]) - 1, _number(place[1])), unescape(value[1].decode())
            held = held[max(end, len(held) - _LONGEST) :]


def _check_formulas(data: bytes, file: DataFile, sheet: str) -> None:
    """Raise SourceError for a formula without its result: some programs write none."""
    if _NO_RESULT.search(data) is None:
        return
    for cell in _FORMULA.finditer(data):
        if not any(sign in cell["head"] for sign in _TEXT_SIGNS):
            place = _PLACE.search(cell["head"])
            where = (place[1] + place[2]).decode() if place else "a cell"
            raise SourceError(
                f"{file.shown}, sheet {sheet}: {where} has a formula, but not its result; open the "
                "workbook in Excel or LibreOffice, and save it",
                final=True,
            )


def _number(letters: bytes) -> int:
    """Return the number of a column, A being 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _check_ods(book: zipfile.ZipFile, file: DataFile, sheet: str) -> None:
    content = book.read("content.xml").decode("utf-8", "replace")
    for table in content.split("<table:table ")[1:]:
        name = re.search(r'table:name="([^"]*)"', table)
        if name and unescape(name[1]) == sheet and _ODS_ERROR in table:
            raise SourceError(
                f"{file.shown}, sheet {sheet}: a cell holds an error, which cannot be read from "
                ".ods; correct it, or save the workbook as .xlsx",
                final=True,
            )
