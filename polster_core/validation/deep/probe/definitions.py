"""Load what Dagster would load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .report import Answer, Fault, Files, Place, lines

_MODULE = "orchestration.definitions"


def load(files: Files, declared: Mapping[str, tuple[str, int]], answer: Answer) -> dict[str, Any]:
    """Return the dependencies of each key that Dagster knows; report what keeps it from loading.

    `declared` has the file and line of every key that the files define.
    """
    try:
        definitions = _definitions(f"{files.prefix}{_MODULE}")
        import_module("dagster").Definitions.validate_loadable(definitions)
        specs = definitions.resolve_all_asset_specs()
    except Exception as error:  # noqa: BLE001 - whatever the project raises
        said = list(lines(error)) or [type(error).__name__]
        place = files.where(error) or Place(
            f"src/{files.prefix}{_MODULE}".replace(".", "/") + ".py", 1
        )
        message = f"Dagster cannot load the project: {said[0]}"
        hint = "; ".join(said[1:3])
        answer.faults.append(Fault("definitions", place.path, place.line, 1, message, hint))
        return {}
    deps = {
        spec.key.to_user_string(): [dep.asset_key.to_user_string() for dep in spec.deps]
        for spec in specs
    }
    for key, (path, line) in declared.items():
        if key not in deps:
            message = f"{key} is defined, and Dagster does not load it"
            answer.faults.append(Fault("definitions", path, line, 1, message))
    return deps


def _definitions(module_name: str) -> Any:
    """Return the project's definitions, however it makes them."""
    dg = import_module("dagster")
    module = import_module(module_name)
    for name in ("defs", *vars(module)):
        found = getattr(module, name, None)
        if isinstance(found, dg.Definitions):
            return found
        if callable(found) and type(found).__name__ == "LazyDefinitions":
            make: Callable[[], Any] = found
            return make()
    raise LookupError(f"{module_name} has no Dagster definitions")
