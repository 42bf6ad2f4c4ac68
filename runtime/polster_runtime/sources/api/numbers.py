"""Numbers of JSON as they are written: none is rounded."""

import json
from decimal import Decimal
from typing import Any

from polster_runtime.sources.shapes import parse_float

CONVERTED = {Decimal, dict, list}
"""What is a decimal, or may hold some."""


class ConstantError(ValueError):
    """NaN, Infinity or -Infinity, which are no JSON."""


class ExactNumbers:
    """Reads JSON, and knows whether there were numbers that no float holds."""

    def __init__(self) -> None:
        self.any = False
        self._decoder = json.JSONDecoder(parse_float=self._parsed, parse_constant=_refused_constant)

    def loads(self, data: bytes) -> Any:
        """A document. Raises ValueError, and RecursionError."""
        return self._decoder.decode(data.decode(json.detect_encoding(data), "surrogatepass"))

    def exact(self, value: Any) -> Any:
        """A value of ijson, which has decimals for what is no integer. Raises RecursionError."""
        kind = type(value)
        if kind is Decimal:
            return self._parsed(str(value))
        inside = value.items() if kind is dict else enumerate(value) if kind is list else ()
        for place, inner in inside:
            if type(inner) in CONVERTED:
                value[place] = self.exact(inner)
        return value

    def _parsed(self, text: str) -> float:
        found = parse_float(text)
        self.any = self.any or type(found) is not float
        return found


def _refused_constant(text: str) -> Any:
    raise ConstantError(f"{text} is no number of JSON")
