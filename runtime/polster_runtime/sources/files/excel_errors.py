"""Cells of workbooks that hold an error, such as #REF!, which fastexcel and calamine pass over.

Reads the XML of .xlsx and .xlsm (ECMA-376, part 1, 18.3.1.4) and of .ods. Of .xls and .xlsb nothing
is known.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from xml.etree import ElementTree as ET

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.found_files import DataFile

_CELL = re.compile(
    rb"""<(?:\w+:)?c\b(?P<head>[^>]*\st=["']e["'][^>]*?)(?:/>|>(?P<body>.*?)</(?:\w+:)?c>)""",
    re.DOTALL,
)
_SIGNS = (b't="e"', b"t='e'")
_PLACE = re.compile(rb"""\sr=["']([A-Z]+)(\d+)["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>(.*?)</(?:\w+:)?v>", re.DOTALL)
_ODS_ERROR = 'calcext:value-type="error"'
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How files begin that [MS-CFB] describes: .xls, and whatever has a password."""
_BLOCK = 2**20
_LONGEST = 2**15
"""More than a cell with an error takes, whose formula has at most 8,192 characters."""


def check_plain(file: DataFile) -> None:
    """Raise SourceError for a workbook with a password: an OLE container where XML is expected."""
    with file.path.open("rb") as data:
        is_container = data.read(len(_OLE)) == _OLE
    if is_container and file.path.suffix.lower() != ".xls":
        raise SourceError(
            f"{file.shown} is encrypted, or an old .xls; save it without a password, or name it "
            ".xls",
            final=True,
        )


def error_cells(file: DataFile, sheet: str) -> dict[tuple[int, int], str]:
    """Return the errors of a sheet: row and column, both from 0 on -> text.

    Raises SourceError where they cannot be told.
    """
    if not zipfile.is_zipfile(file.path):
        return {}
    with zipfile.ZipFile(file.path) as book:
        names = set(book.namelist())
        if "content.xml" in names:
            _check_ods(book, file, sheet)
            return {}
        part = _part(book, sheet) if "xl/workbook.xml" in names else ""
        return dict(_errors(book, part, file, sheet)) if part in names else {}


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
