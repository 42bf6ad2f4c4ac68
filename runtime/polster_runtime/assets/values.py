"""Values of frames for people: also those that Python cannot hold, such as dates after 9999."""

from typing import Any

import polars as pl

NO_VALUE = (ValueError, OverflowError, pl.exceptions.PanicException)
"""What comes of a value that Python, or Polars, cannot hold."""
UNSHOWN = "?"
"""What stands for a value that not even Polars can write down."""


def rows_as_python(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries. What Python has no value for is the text that Polars writes."""
    columns = [values_as_python(column) for column in frame.get_columns()]
    return [dict(zip(frame.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def values_as_python(values: pl.Series) -> list[Any]:
    """The values of a column, as `rows_as_python` has them."""
    try:
        return values.to_list()
    except NO_VALUE:
        return [_value(values.slice(number, 1)) for number in range(len(values))]


def _value(one: pl.Series) -> Any:
    try:
        return one.to_list()[0]
    except NO_VALUE:
        pass
    try:
        if one.dtype.is_nested() or one.dtype == pl.Duration:
            return str(one).splitlines()[-2].strip()
        return one.cast(pl.String).item()
    except pl.exceptions.PanicException:
        return UNSHOWN
