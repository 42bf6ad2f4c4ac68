"""Cursors of an API: their order, and their form."""

from datetime import UTC, datetime, timedelta
from typing import Any

from polster_runtime.errors import SourceError
from polster_runtime.sources.incremental import latest_plausible


def api_order(value: Any) -> Any:
    """A cursor as what it is ordered by: a time, a number, or else text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SourceError(f"{value!r} is no cursor: it has no order; choose another", final=True)
    if not isinstance(value, str):
        return value
    if value.isdecimal():
        return int(value)
    try:
        time_of = datetime.fromisoformat(value) if value[4:5] == "-" else None
    except ValueError:
        time_of = None
    if time_of is None:
        return value
    return time_of if time_of.tzinfo else time_of.replace(tzinfo=UTC)


def api_is_future(order: Any) -> bool:
    """Whether a cursor is a time that has not come yet."""
    return isinstance(order, datetime) and order > latest_plausible()


def api_minus(order: Any, lag: float) -> Any:
    """What a cursor is ordered by, less the lag. Raises SourceError for text."""
    if not lag:
        return order
    if isinstance(order, str):
        raise SourceError(f"`lag` needs a cursor of times or numbers, not {order!r}", final=True)
    return order - (timedelta(seconds=lag) if isinstance(order, datetime) else lag)


def api_as(order: Any, like: Any) -> Any:
    """A time or a number, in the form of a cursor."""
    if not isinstance(order, datetime):
        return str(order) if isinstance(like, str) else order
    if len(like) == 10:
        return order.date().isoformat()
    zoned = datetime.fromisoformat(like).tzinfo is not None
    text = (order if zoned else order.replace(tzinfo=None)).isoformat()
    return text.replace("+00:00", "Z") if like.endswith("Z") else text
