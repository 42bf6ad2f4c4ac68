"""Definitions written in tests, and runs of them."""

import itertools
from importlib.util import module_from_spec, spec_from_file_location
from textwrap import dedent
from types import ModuleType
from typing import Any

import dagster as dg

from polster_runtime.config import paths
from polster_runtime.dagster import runner
from polster_runtime.dagster.definitions import build_definitions

_numbers = itertools.count()


def module_of(code: str, name: str = "") -> ModuleType:
    """Run the code of a module; a name such as `silver` makes it the package of a layer."""
    file = paths.project_root() / f"{name or 'module'}_{next(_numbers)}.py"
    file.write_text(dedent(code), encoding="utf-8")
    spec = spec_from_file_location(name or file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def definitions_of(*codes: str) -> dg.Definitions:
    """Return what `build_definitions` makes of modules."""
    return build_definitions([module_of(code) for code in codes])


def ran(definitions: dg.Definitions, *names: str, expression: str | None = None) -> dict[str, Any]:
    """Run assets as run_polster.py does, and return what became of each."""
    return runner.run(definitions, names, expression)
