"""The code locations that the UI and the daemon load: this project, or several that share them.

A project whose `[tool.polster] workspace` names a workspace.yaml is one of those in it. Dagster
takes the paths there from where it is started; here they are those of the file, wherever that is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from polster_runtime.config.paths import dagster_home, project_root
from polster_runtime.config.root import workspace

_PATHS = ("working_directory", "executable_path", "relative_path")


def workspace_file() -> Path:
    """The file for Dagster: that of this project, or a copy of the common one with whole paths."""
    shared = workspace()
    if shared is None:
        return project_root() / "workspace.yaml"
    text = yaml.safe_dump(_resolved(yaml.safe_load(shared.read_text("utf-8")), shared.parent))
    copy = dagster_home() / "workspace.yaml"
    if not copy.exists() or copy.read_text("utf-8") != text:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    return copy


def roots() -> list[Path]:
    """The folders of the projects that are loaded together, this one first."""
    shared = workspace()
    found = [project_root()]
    if shared is not None:
        named = _values(yaml.safe_load(shared.read_text("utf-8")), "working_directory")
        found += [folder for one in named if (folder := shared.parent / one).is_dir()]
    return list(dict.fromkeys(folder.resolve() for folder in found))


def _resolved(node: Any, folder: Path) -> Any:
    """A part of the file with paths that hold wherever Dagster is started."""
    if isinstance(node, list):
        return [_resolved(one, folder) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        name: str(folder / Path(value).expanduser())
        if name in _PATHS and isinstance(value, str)
        else _resolved(value, folder)
        for name, value in node.items()
    }


def _values(node: Any, wanted: str) -> Iterator[str]:
    """What a part of the file says under a name, at any depth."""
    if isinstance(node, list):
        for one in node:
            yield from _values(one, wanted)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == wanted and isinstance(value, str):
                yield value
            else:
                yield from _values(value, wanted)
