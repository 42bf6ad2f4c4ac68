"""Connect to the lake, and die when what was waiting here is deleted after its upload."""

import os
from pathlib import Path
from unittest import mock

from core.storage import store

unlink = Path.unlink


def die(path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - as pathlib has it
    """Delete a file, unless it was waiting for the lake."""
    if ".pending" in str(path):
        os._exit(9)
    unlink(path, missing_ok)


with mock.patch.object(Path, "unlink", die):
    store()
