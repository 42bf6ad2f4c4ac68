"""What tests of several modules share."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from tests import long

pytest.register_assert_rewrite("polster_core.testing")

Install = Callable[..., list[EntryPoint]]


def names(root: Path) -> list[str]:
    """Return every path below a folder, folders and hidden ones too."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lay out a distribution the way pip does, and return its entry points."""

    def lay_out(
        name: str, source: str, *, version: str = "0.3.0", entry: str | None = None
    ) -> list[EntryPoint]:
        site, module = tmp_path / "site" / name, name.replace("-", "_")
        info = site / f"{module}-{version}.dist-info"
        info.mkdir(parents=True)
        (site / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[polster]\n{entry or name} = {module}\n")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, module, raising=False)  # another test's namesake
        return list(Distribution.at(info).entry_points)

    return lay_out


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, where there are several workers."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = long.in_order(items, lambda item: item.nodeid.partition("::")[0], workers)


def pytest_collection_finish() -> None:
    """Look for garbage seldom: what pytest itself has collected is never any."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_configure() -> None:
    """Let the programs that tests start take signals as they do in a terminal.

    A caller such as nohup or a shell's `&` has signals ignored, and children inherit that. A
    handler, even one that does nothing, is not inherited: they start with the default.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGHUP", "SIGINT", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
