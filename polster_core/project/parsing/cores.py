"""Read all core files, in other processes where there are thousands of them.

Parsing is the longest part of reading a project and holds the interpreter's lock, so only another
process can do it at the same time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from polster_core.model import layout
from polster_core.model.facts import Core, Fault
from polster_core.model.layers import AssetId
from polster_core.project.parsing.files import quiet, read_core_file

MANY = 2_000
"""Files: to start processes for fewer takes longer than it saves."""
_PROCESSES = 4
_CHUNK = 500

Cores = dict[AssetId, Core | Fault | None]


def begin(root: Path, assets: Sequence[AssetId]) -> Callable[[], Cores]:
    """Begin to read, and return what waits for the end and has the result."""
    if len(assets) >= MANY and (os.cpu_count() or 1) > 1:
        try:
            return _begin_elsewhere(root, assets)
        except (ImportError, OSError):  # no semaphores or no processes on this system
            pass
    return lambda: _read(root, assets)


def _begin_elsewhere(root: Path, assets: Sequence[AssetId]) -> Callable[[], Cores]:
    from concurrent.futures import ProcessPoolExecutor

    processes = min(os.cpu_count() or 1, _PROCESSES)
    pool = ProcessPoolExecutor(processes, initializer=_start, initargs=(layout.current(),))
    chunks = [assets[start : start + _CHUNK] for start in range(0, len(assets), _CHUNK)]
    started = [(chunk, pool.submit(_read, root, chunk)) for chunk in chunks]

    def wait() -> Cores:
        found: Cores = {}
        with pool:
            for chunk, future in started:
                try:
                    found.update(future.result())
                except (OSError, RuntimeError):  # a process was killed
                    found.update(_read(root, chunk))
        return found

    return wait


def _start(places: layout.Layout) -> None:
    """Work in the same layout, and leave Ctrl-C to the process that was started by a person."""
    layout.use(places.package, places.key_prefix)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read(root: Path, assets: Sequence[AssetId]) -> Cores:
    with quiet():
        return {asset: read_core_file(root, asset) for asset in assets}
