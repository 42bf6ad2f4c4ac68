"""What fastexcel and calamine do not tell of cells: errors such as #REF!, results that are missing.

Reads the XML of .xlsx and .xlsm (ECMA-376, part 1, 18.3.1.4) and of .ods, and what is binary.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from html import unescape
from typing import NamedTuple
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
_FORMULAS = (b"<f", b":f")
_TEXT_SIGNS = (b't="str"', b"t='str'")
"""Of cells whose result is a text, which may be empty."""
_SIGNS = (b't="e"', b"t='e'")
_PLACE = re.compile(rb"""\sr=["']([A-Z]+)(\d+)["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>(.*?)</(?:\w+:)?v>", re.DOTALL)
_VALUES = (b"<v", b"<is")
"""How the values of cells begin: numbers and shared texts, and texts that are in the cell."""
_BEGIN_CELL = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>]*)>')
_BEGINNING = 2**16
"""Bytes of a sheet that show whether its columns are mixed."""
_KIND = re.compile(rb'\bt="(\w+)"')
_TEXTS = (b"s", b"str", b"inlineStr")
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


@dataclass
class SheetNotes:
    """What is known of the cells of a sheet."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    """Row and column of each cell that holds an error, both from 0 on, and its text."""
    values: int = 0
    """How many cells of .xlsx have a value, or more; 0 where it is not known."""


def look_at_cells(file: DataFile, sheet: str, number: int) -> SheetNotes:
    """Return what is known of the cells of a sheet, `number` being its place, the first 0.

    Raises SourceError where their errors cannot be told.
    """
    try:
        return _notes(file, sheet, number)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise SourceError(
            f"{file.shown}, sheet {sheet}: whether cells hold errors cannot be told ({error!r}); "
            "save the workbook as .xlsx",
            final=True,
        ) from None


class Beginning(NamedTuple):
    """What the first rows of a sheet of .xlsx look like: false where it is not known.

    Only to choose the fastest way of reading: what it says is not relied upon.
    """

    is_mixed: bool = False
    """Whether cells of a column differ in type."""
    has_gaps: bool = False
    """Whether cells are empty."""


def look_at_beginning(file: DataFile, sheet: str) -> Beginning:
    """Return what the first rows of a sheet look like, below the very first."""
    try:
        with zipfile.ZipFile(file.path) as book, book.open(part_of(book, sheet)) as data:
            _, _, rows = data.read(_BEGINNING).partition(b"</row>")
    except (zipfile.BadZipFile, zlib.error, ET.ParseError, KeyError, EOFError, RuntimeError):
        return Beginning()
    kinds: dict[bytes, set[bytes]] = {}
    widths: dict[bytes, int] = {}
    for letters, row, rest in _BEGIN_CELL.findall(rows):
        if not rest.endswith(b"/"):
            found = _KIND.search(rest)
            kind = found[1] if found else b"n"
            kinds.setdefault(letters, set()).add(b"s" if kind in _TEXTS else kind)
            widths[row] = widths.get(row, 0) + 1
    return Beginning(
        is_mixed=any(len(some) > 1 or b"e" in some for some in kinds.values()),
        has_gaps=len(set([*widths.values()][:-1])) > 1,
    )


def _notes(file: DataFile, sheet: str, number: int) -> SheetNotes:
    if _is_container(file):
        return SheetNotes(dict(xls_errors(file.path, number)))
    if not zipfile.is_zipfile(file.path):
        return SheetNotes()
    with zipfile.ZipFile(file.path) as book:
        names = set(book.namelist())
        if "xl/workbook.bin" in names:
            return SheetNotes(dict(xlsb_errors(book, number)))
        if "content.xml" in names:
            _check_ods(book, file, sheet)
        part = part_of(book, sheet)
        return _notes_of_part(book, part, file, sheet) if part else SheetNotes()


def part_of(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part of .xlsx that a sheet is in; an empty text if there is none."""
    if "xl/workbook.xml" not in book.namelist():
        return ""
    for element in ET.fromstring(book.read("xl/workbook.xml")).iter():  # noqa: S314
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            wanted = next((v for key, v in element.items() if key.endswith("}id")), "")
            relations = ET.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
            for relation in relations:
                if relation.get("Id") == wanted:
                    part = posixpath.join("/xl", relation.get("Target", "")).lstrip("/")
                    return part if part in book.namelist() else ""
    return ""


def _notes_of_part(book: zipfile.ZipFile, part: str, file: DataFile, sheet: str) -> SheetNotes:
    """Look at all cells in one pass: to unpack them takes longer than all else."""
    notes, held = SheetNotes(), b""
    with book.open(part) as data:
        while block := data.read(_BLOCK):
            before, held, end = held, held + block, 0
            notes.values += sum(held.count(sign) - before.count(sign) for sign in _VALUES)
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
                at = int(place[2]) - 1, number_of(place[1])
                notes.errors[at] = unescape(value[1].decode())
            held = held[max(end, len(held) - _LONGEST) :]
    return notes


def _check_formulas(data: bytes, file: DataFile, sheet: str) -> None:
    """Raise SourceError for a formula without its result: some programs write none."""
    if not any(sign in data for sign in _FORMULAS) or _NO_RESULT.search(data) is None:
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


def number_of(letters: bytes) -> int:
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
