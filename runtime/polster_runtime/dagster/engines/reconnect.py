"""A history in PostgreSQL that is away for a while, such as to be restarted: it is asked again."""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import dagster as dg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from polster_runtime.config.logging import log

PAUSE_SECONDS = 0.5
TOO_MANY = "too many retries for DB connection"
"""What dagster-postgres says after six seconds of its own tries."""
_asking = threading.local()


def keep_trying(instance: dg.DagsterInstance, seconds: float) -> None:
    """Let the storages of an instance ask their database again, for some seconds at most.

    An event may be stored twice whose database was lost between storing it and saying so.
    """
    for storage in (instance.event_log_storage, instance.run_storage):
        kind = type(storage)
        if not kind.__module__.startswith("dagster_postgres"):
            continue
        for name in dir(kind):
            if not name.startswith("_") and callable(getattr(kind, name, None)):
                setattr(storage, name, _again(getattr(storage, name), seconds))


def _again(ask: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    @wraps(ask)
    def asked(*arguments: Any, **named: Any) -> Any:
        if getattr(_asking, "now", False):  # one question asks others
            return ask(*arguments, **named)
        end = time.monotonic() + seconds
        while True:
            _asking.now = True
            try:
                return ask(*arguments, **named)
            except Exception as error:
                if not is_away(error) or time.monotonic() >= end:
                    raise
                log.warning("the history does not answer, it is asked again")
            finally:
                _asking.now = False
            time.sleep(PAUSE_SECONDS)

    return asked


def is_away(error: BaseException) -> bool:
    """Whether an error says that there is no connection to the database."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    away = (OperationalError, InterfaceError, NoConnection)
    return isinstance(error, away) or TOO_MANY in str(error)
