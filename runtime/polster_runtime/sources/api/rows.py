"""Rows of an API: records become frames of the same columns."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

import polars as pl

from polster_runtime.config import paths
from polster_runtime.errors import SourceError
from polster_runtime.sources.shapes import Number, Shape, json_text

API_IN_MEMORY = 8 * 2**20
"""Bytes of a page that are read at once; a larger one is read record by record."""
API_FRAME_BYTES = 16 * 2**20
"""Bytes of JSON that become one frame."""


class ApiRows:
    """Records on disk (in memory, while they are few), and the types of all of them."""

    def __init__(self, types: Mapping[str, Any], flatten: bool) -> None:
        self.types, self.flatten = types, flatten
        self.file, self.count = api_file(), 0
        self.shape = Shape()
        self._text = json.JSONEncoder(ensure_ascii=False).encode

    def close(self) -> None:
        self.file.close()

    def add(self, record: dict[str, Any], *, has_exact: bool) -> None:
        """Keep a record; `has_exact` says that it may have numbers that no float holds.

        Raises TooDeepError, and ValueError for text that no column holds.
        """
        self.shape.see(record)
        line = json_text(record) if has_exact else self._text(record)
        try:
            self.file.write(line.encode() + b"\n")
        except UnicodeEncodeError:
            raise ValueError("it has half of a surrogate pair, which is no character") from None
        self.count += 1

    def frames(self, place: str) -> Iterator[pl.DataFrame]:
        """The records as frames, all of the same columns. Raises SourceError."""
        schema: dict[str, Any] = {n: shape.dtype() for n, shape in self.shape.fields.items()}
        schema |= self.types
        if not self.count and self.types:
            yield pl.DataFrame(schema=schema)
        self.file.seek(0)
        typed = self._typed_by_python if self._needs_python() else pl.read_ndjson
        while schema and (lines := self.file.readlines(API_FRAME_BYTES)):
            try:
                frame = typed(b"".join(lines), schema=schema)
                frame = _api_flat(frame) if self.flatten else frame
            except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
                said = str(error).splitlines()[0]
                raise SourceError(
                    f"{place}: {said}; check `types` and `flatten`", final=True
                ) from None
            yield frame

    def _needs_python(self) -> bool:
        """Whether Polars would not keep values as they are written: 1.50 in a column of text."""
        inferred = [one for name, one in self.shape.fields.items() if name not in self.types]
        given = [kind for kind in self.types.values() if kind.is_decimal() or kind == pl.String]
        return bool(given) or any(one.has_mixed for one in inferred)

    def _typed_by_python(self, lines: bytes, *, schema: Mapping[str, Any]) -> pl.DataFrame:
        records = [json.loads(line, parse_float=Number.parse) for line in lines.split(b"\n")[:-1]]
        return pl.DataFrame(
            [
                self._column(name, kind, [record.get(name) for record in records])
                for name, kind in schema.items()
            ]
        )

    def _column(self, name: str, kind: Any, values: Sequence[Any]) -> pl.Series:
        if name not in self.types:
            convert = self.shape.fields[name].converter()
            return pl.Series(name, _each(convert, values) if convert else values, kind)
        if kind == pl.String:
            return pl.Series(name, _each(json_text, values), kind)
        if kind.is_decimal():
            return pl.Series(name, _each(lambda value: _decimal(name, kind, value), values), kind)
        text = b"".join(json_text({name: value}).encode() + b"\n" for value in values)
        return pl.read_ndjson(text, schema={name: kind})[name]


def _each(convert: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    return [None if value is None else convert(value) for value in values]


def _decimal(name: str, kind: Any, value: Any) -> Decimal:
    """A number or a text as a decimal of a type. Raises ValueError where that would round it."""
    text = json_text(value)
    try:
        found = Decimal(text)
        fits = found.is_finite() and found == found.__round__(kind.scale)
    except InvalidOperation:
        fits = False
    if not fits:
        raise ValueError(f"{name}: {text} is no decimal with {kind.scale} digits after the point")
    return found


def api_file() -> IO[bytes]:
    """A file that is in memory while it is small, and gone when it is closed."""
    paths.staging_dir().mkdir(parents=True, exist_ok=True)
    file = SpooledTemporaryFile(max_size=API_IN_MEMORY, dir=str(paths.staging_dir()))  # noqa: SIM115
    return cast(IO[bytes], file)


def _api_flat(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame whose structs are columns: address__city."""
    while structs := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        frame = frame.unnest(structs, separator="__")
    return frame
