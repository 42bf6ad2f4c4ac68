"""Print whether a core file has the same function by both of its names."""

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
one = import_module("src.core.silver_example").transform
other = import_module("core.silver_example").transform
print(one.__name__, one.__code__.co_code == other.__code__.co_code)
