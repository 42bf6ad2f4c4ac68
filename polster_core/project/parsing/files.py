"""Read and parse single files, quietly."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from polster_core.model.facts import Core, Fault, Place
from polster_core.model.layers import AssetId
from polster_core.project.parsing import core_file
from polster_core.project.parsing.source import ParsedFile, parse

TOO_DEEP = "too deeply nested to be read"


@contextmanager
def quiet() -> Iterator[None]:
    """Parse without warnings about the user's code, and without pauses for tree after tree.

    Syntax trees hold no cycles: looking for some takes a third of the time that parsing takes.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def read_source(root: Path, path: PurePosixPath) -> ParsedFile | Fault | None:
    """Parse one file; `None` if it does not exist."""
    try:
        with open(f"{root}/{path}", "rb") as file:  # noqa: PTH123 - half of Path's time
            data = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Fault("unreadable", Place(path), error.strerror or str(error))
    return parse(path, data)


def read_core_file(root: Path, asset: AssetId) -> Core | Fault | None:
    """Read what one core file says; `None` if it does not exist."""
    source = read_source(root, asset.core_file)
    if not isinstance(source, ParsedFile):
        return source
    try:
        return core_file.core(source, asset)
    except RecursionError:
        return Fault("unreadable", Place(asset.core_file), TOO_DEEP)
