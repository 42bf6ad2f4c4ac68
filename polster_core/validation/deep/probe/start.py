"""Run this file with the project's own Python: it makes the folder around it a package.

The package is called `polster_probe` there, and no folder of Polster is on the path, so that
nothing of the project can be mistaken for a part of it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_NAME = "polster_probe"


def start(request: str, result: str) -> None:
    """Check what the file `request` describes, and write the file `result`."""
    spec = spec_from_file_location(_NAME, Path(__file__).with_name("__init__.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{__file__} has no package around it")
    package = module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)
    import_module(f"{_NAME}.main").main(request, result)


if __name__ == "__main__":
    start(*sys.argv[1:])
