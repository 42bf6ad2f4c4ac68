"""Plugins that are files of a project: `plugins = ["tools/our_rules.py"]` in `[tool.polster]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from polster_core.errors import PolsterError
from polster_core.plan import conflicts
from polster_core.plugins import trust
from polster_core.plugins.misfit import MisfitError
from polster_core.plugins.origin import PROJECT, Origin

SETTING = "plugins"
NOT_TRUSTED = "it is code of this project, which nobody has trusted on this machine yet"


@dataclass(frozen=True)
class LocalPlugin:
    """A file of a project that is a plugin; `path` is as the project writes it."""

    root: Path
    path: str

    @property
    def origin(self) -> Origin:
        """Its path in the place of a name."""
        return Origin(self.path, PROJECT, "", self.path)

    def load(self) -> ModuleType:
        """Import the file.

        Raises MisfitError where it is no file of the project, and where the project is not trusted:
        then nothing of it has run.
        """
        file = self._file()
        if not trust.is_trusted(self.root):
            raise MisfitError(NOT_TRUSTED)
        name = f"polster_of_this_project_{PurePosixPath(self.path).stem}"
        spec = spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise MisfitError(f"{self.path} cannot be imported")
        module = module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look for their module there
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        finally:
            sys.dont_write_bytecode = before
        return module

    def _file(self) -> Path:
        path = PurePosixPath(self.path.replace("\\", "/"))
        if problem := conflicts.outside(path):
            raise MisfitError(problem)
        file = self.root / path
        if problem := conflicts.leads_out(self.root, path):
            raise MisfitError(problem)
        if file.is_dir():
            raise MisfitError(f"{path} is a folder, and a plugin of a project is one Python file")
        if not file.is_file():
            raise MisfitError(f"{path} does not exist")
        if path.suffix != ".py":
            raise MisfitError(f"{path} is no Python file")
        return file


def local_plugins(root: Path, settings: Mapping[str, Any]) -> tuple[LocalPlugin, ...]:
    """Return the plugins that a project brings itself; none is imported yet.

    Raises PolsterError if the setting is no list of paths.
    """
    listed = settings.get(SETTING, [])
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise PolsterError(
            f"{root / 'pyproject.toml'}: {SETTING} in [tool.polster] is no list of files",
            hint=f'for example  {SETTING} = ["tools/our_rules.py"]',
        )
    return tuple(LocalPlugin(root, one) for one in dict.fromkeys(listed))


__all__ = ["NOT_TRUSTED", "SETTING", "LocalPlugin", "local_plugins"]
