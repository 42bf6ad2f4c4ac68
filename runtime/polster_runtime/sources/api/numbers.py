"""Numbers of JSON as they are written: none is rounded."""

import json
from decimal import Decimal
from typing import Any

from polster_runtime.sources.shapes import parse_float


class ConstantError(ValueError):
    """NaN, Infinity or -Infinity, which are no JSON."""


class RepeatedKeyError(ValueError):
    """An object with a key twice, of which only one value would remain."""


class UniqueKeys(dict[str, Any]):
    """What ijson makes objects of: it notes a key that it had, since ijson lets none raise."""

    repeated: str | None = None

    def __setitem__(self, key: str, value: Any) -> None:
        if key in self:
            self.repeated = key
        super().__setitem__(key, value)


class ExactNumbers:
    """Reads JSON, and knows whether there were numbers that no float holds."""

    def __init__(self) -> None:
        self.any = False
        self._decoder = json.JSONDecoder(
            parse_float=self._parsed,
            parse_constant=_refused_constant,
            object_pairs_hook=_unique,
        )

    def loads(self, data: bytes) -> Any:
        """A document. Raises ValueError, and RecursionError."""
        return self._decoder.decode(data.decode(json.detect_encoding(data), "surrogatepass"))

    def exact(self, value: Any) -> Any:
        """A value of ijson, which has decimals for what is no integer.

        Raises RepeatedKeyError, and RecursionError.
        """
        kind = type(value)
        if kind is Decimal:
            return self._parsed(str(value))
        if kind is UniqueKeys:
            if value.repeated is not None:
                raise _repeated(value.repeated)
            return {
                name: self.exact(inner) if type(inner) in CONVERTED else inner
                for name, inner in value.items()
            }
        if kind is list:
            return [self.exact(inner) if type(inner) in CONVERTED else inner for inner in value]
        return value

    def _parsed(self, text: str) -> float:
        found = parse_float(text)
        self.any = self.any or type(found) is not float
        return found


CONVERTED = {Decimal, UniqueKeys, list}
"""What is a decimal, or may hold some."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _repeated(next(name for name in names if names.count(name) > 1))
    return found


def _repeated(key: str) -> RepeatedKeyError:
    return RepeatedKeyError(
        f"an object has the key {json.dumps(key, ensure_ascii=False)[:40]} twice"
    )


def _refused_constant(text: str) -> Any:
    raise ConstantError(f"{text} is no number of JSON")
