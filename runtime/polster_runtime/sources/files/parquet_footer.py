"""Logical types that Polars does not tell: which binary columns of a Parquet file are UUID or JSON.

Reads the schema in the footer of a file: format/parquet.thrift of apache/parquet-format, in the
compact protocol of Apache Thrift.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UUID, JSON = "uuid", "json"

_MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_LONG = 0x0F
"""The size of a list that says that its size follows."""
_MORE = 0x80
"""The bit of a byte that says that another follows."""
# Fields of FileMetaData and SchemaElement, members of ConvertedType and LogicalType.
_SCHEMA, _NAME, _CHILDREN, _CONVERTED, _LOGICAL = 2, 4, 5, 6, 10
_CONVERTED_JSON, _LOGICAL_JSON, _LOGICAL_UUID = 19, 12, 14


@dataclass(frozen=True)
class Column:
    """A column, or a part of one."""

    name: str
    kind: str = ""
    """uuid, json, or empty for all that Polars knows."""
    children: tuple[Column, ...] = field(default=())

    @property
    def has_kind(self) -> bool:
        """Whether it, or a part of it, is one of those that Polars does not tell."""
        return bool(self.kind) or any(child.has_kind for child in self.children)


def parquet_columns(path: Path) -> tuple[Column, ...]:
    """Return the columns of a file. Raises ValueError for one that is not Parquet."""
    with path.open("rb") as data:
        size = data.seek(0, 2)
        data.seek(max(size - 8, 0))
        tail = data.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or length + 8 > size:
            raise ValueError("it is not a Parquet file, or is cut")
        data.seek(size - 8 - length)
        footer = data.read(length)
    try:
        elements = _Thrift(footer).struct()[_SCHEMA]
        root, _ = _tree(elements, 0)
    except (IndexError, KeyError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError("its footer is damaged") from error
    return root.children


def _tree(elements: list[dict[int, Any]], position: int) -> tuple[Column, int]:
    """Return the element at a position with what is in it, and the position after it."""
    element = elements[position]
    position += 1
    children = []
    for _ in range(element.get(_CHILDREN, 0)):
        child, position = _tree(elements, position)
        children.append(child)
    return Column(element[_NAME].decode(), _kind(element), tuple(children)), position


def _kind(element: dict[int, Any]) -> str:
    logical = element.get(_LOGICAL, {})
    if _LOGICAL_UUID in logical:
        return UUID
    return JSON if _LOGICAL_JSON in logical or element.get(_CONVERTED) == _CONVERTED_JSON else ""


class _Thrift:
    """Reads the compact protocol: structs as dicts of field number -> value."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def struct(self) -> dict[int, Any]:
        """Read a struct."""
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 0x0F
            number = number + step if step else self._signed()
            found[number] = kind == _TRUE if kind in {_TRUE, _FALSE} else self._value(kind)
        return found

    def _value(self, kind: int) -> Any:
        if kind in {_I16, _I32, _I64}:
            return self._signed()
        if kind == _BINARY:
            return self._bytes(self._unsigned())
        if kind in {_LIST, _SET}:
            return self._list()
        if kind == _STRUCT:
            return self.struct()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind == _MAP:
            return self._map()
        return self._byte()  # of a byte, and of booleans in lists

    def _list(self) -> list[Any]:
        head = self._byte()
        size = head >> 4
        count = self._unsigned() if size == _LONG else size
        return [self._value(head & 0x0F) for _ in range(count)]

    def _map(self) -> list[tuple[Any, Any]]:
        count = self._unsigned()
        kinds = self._byte() if count else 0
        return [(self._value(kinds >> 4), self._value(kinds & 0x0F)) for _ in range(count)]

    def _byte(self) -> int:
        self.position += 1
        return self.data[self.position - 1]

    def _bytes(self, count: int) -> bytes:
        self.position += count
        return self.data[self.position - count : self.position]

    def _unsigned(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < _MORE:
                return value
            shift += 7

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
