"""Logging: one line an operation, with its duration."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from polster_runtime.config.settings import settings

log = logging.getLogger("core")


@contextmanager
def operation(name: str, **details: Any) -> Iterator[None]:
    """Log what a block did and how long that took: nothing when it fails."""
    started = time.perf_counter()
    yield
    seconds = round(time.perf_counter() - started, 4)
    log.info(name, extra={"details": {**details, "seconds": seconds}})


def configure() -> None:
    """Write the log of this process to stderr, as LOG_LEVEL and LOG_FORMAT say."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if settings().log_format == "json" else _Text())
    log.addHandler(handler)
    log.setLevel(settings().log_level)
    log.propagate = False


def _record(record: logging.LogRecord) -> dict[str, Any]:
    when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {
        "time": when.replace("+00:00", "Z"),
        "level": record.levelname,
        "message": record.getMessage(),
        **getattr(record, "details", {}),
    }


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_record(record), default=str)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = _record(record)
        head = [fields.pop("time"), f"{fields.pop('level'):<7}", fields.pop("message")]
        return " ".join([*head, *(f"{name}={text}" for name, text in fields.items())])
