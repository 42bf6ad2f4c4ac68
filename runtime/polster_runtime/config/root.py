"""Which project this is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from polster_runtime.errors import SettingsError


def project_root() -> Path:
    """The folder whose pyproject.toml has `[tool.polster]`.

    PROJECT_ROOT names it, or it is found upward from the running file, from the working
    directory, or from this package. Raises SettingsError when there is none.
    """
    named = os.environ.get("PROJECT_ROOT")
    return Path(named).resolve() if named else _found()


def pyproject() -> dict[str, Any]:
    """The project's pyproject.toml; empty where there is none. Raises SettingsError."""
    return _parsed(project_root() / "pyproject.toml")


def project_name() -> str:
    """The name of the project, as it was typed when the project was made. Raises SettingsError."""
    parsed = pyproject()
    named = parsed.get("tool", {}).get("polster", {}).get("name")
    return str(named or parsed.get("project", {}).get("name") or project_root().name)


@cache
def _found() -> Path:
    for start in _starts():
        for folder in (start, *start.parents):
            if "polster" in _parsed(folder / "pyproject.toml").get("tool", {}):
                return folder
    raise SettingsError(
        f"there is no Polster project in {Path.cwd()} or above it; go into the folder of one, "
        "or set PROJECT_ROOT"
    )


def _starts() -> Iterator[Path]:
    running = getattr(sys.modules.get("__main__"), "__file__", None)
    if running:
        yield Path(running).resolve().parent
    yield Path.cwd()
    yield Path(__file__).resolve().parent


@cache
def _parsed(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None
