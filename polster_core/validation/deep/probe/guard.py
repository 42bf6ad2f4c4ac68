"""Watch functions while they run: what they touch, and in which line a lazy step goes wrong."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

_EVENTS = frozenset(
    {
        "open",
        "socket.connect",
        "socket.getaddrinfo",
        "subprocess.Popen",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.system",
        "shutil.rmtree",
        "sqlite3.connect",
    }
)
_CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".pth", ".zip")
_NOT_LAZY = frozenset({"collect", "collect_schema", "serialize", "explain", "lazy", "profile"})


class ImpureError(Exception):
    """A function that reads or writes something else than its parameters."""


class Guard:
    """Refuses files, network, processes and Polars' own readers and writers while it is armed.

    Python's audit events do not see what Polars does in Rust, so its functions are replaced.
    """

    def __init__(self) -> None:
        """Install the audit hook, which can never be taken away: it is armed when needed."""
        self._thread: int | None = None
        self._places = tuple(
            os.path.realpath(folder) for folder in (sys.prefix, sys.base_prefix, "/proc", "/sys")
        )
        sys.addaudithook(self._audit)

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Refuse while the block runs, in this thread."""
        pl = import_module("polars")
        owners = ((pl, ("read_", "scan_")), (pl.LazyFrame, ("sink_",)), (pl.DataFrame, ("write_",)))
        with ExitStack() as stack:
            for owner, starts in owners:
                for name in dir(owner):
                    if name.startswith(starts) and callable(getattr(owner, name)):
                        stack.enter_context(patch.object(owner, name, _refusing(name)))
            self._thread = threading.get_ident()
            try:
                yield
            finally:
                self._thread = None

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if self._thread is None or self._thread != threading.get_ident() or event not in _EVENTS:
            return
        what = args[0] if args else ""
        if event == "open":
            if not isinstance(what, (str, bytes, os.PathLike)):
                return
            path = os.fspath(what)
            text = os.fsdecode(path)
            if text.endswith(_CODE) or os.path.realpath(text).startswith(self._places):
                return
            raise ImpureError(f"opens {text}")
        raise ImpureError(f"calls {event}")


def _refusing(name: str) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise ImpureError(f"calls {name}()")

    return refuse


@contextmanager
def step_by_step() -> Iterator[None]:
    """Let every lazy step run at once, so that an error comes from the line that wrote it."""
    pl = import_module("polars")
    busy = False

    def at_once(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal busy
            found = function(*args, **kwargs)
            if isinstance(found, pl.LazyFrame) and not busy:
                busy = True
                try:
                    found.collect()
                finally:
                    busy = False
            return found

        return call

    with ExitStack() as stack:
        for owner in (pl.LazyFrame, import_module("polars.lazyframe.group_by").LazyGroupBy):
            for name, function in list(vars(owner).items()):
                public = not name.startswith("_") and name not in _NOT_LAZY
                if public and inspect.isfunction(function):
                    stack.enter_context(patch.object(owner, name, at_once(function)))
        for name in ("concat", "sql", "align_frames", "merge_sorted"):
            if hasattr(pl, name):
                stack.enter_context(patch.object(pl, name, at_once(getattr(pl, name))))
        yield
