"""Which projects may run code of their own inside Polster: those trusted once on this machine.

A project is trusted by its folder and by a token, which lies in the user's configuration and in
`.polster/.trusted`, a file that git ignores: another project that is cloned into its place later
is not trusted. POLSTER_TRUST_PROJECT=1 trusts for one command, as pipelines need it.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from polster_core.errors import PolsterError

VARIABLE = "POLSTER_TRUST_PROJECT"
_FILE = "trusted-projects.json"
_TRUSTED = ".polster/.trusted"


def is_trusted(root: Path) -> bool:
    """Whether somebody trusted this very folder."""
    if os.environ.get(VARIABLE, "").lower() in {"1", "true", "yes"}:
        return True
    token = _known().get(_key(root))
    try:
        return bool(token) and (root / _TRUSTED).read_text(encoding="utf-8") == token
    except (OSError, ValueError):
        return False


def trust(root: Path) -> None:
    """Trust a project from now on; raises PolsterError where that cannot be kept."""
    token = secrets.token_hex(16)
    _replace(root / _TRUSTED, token)
    _write({**_known(), _key(root): token})


def distrust(root: Path) -> None:
    """Trust a project no longer; raises PolsterError where that cannot be kept."""
    known = _known()
    known.pop(_key(root), None)
    _write(known)


def file() -> Path:
    """Return the file that has the trusted projects, in the user's own configuration."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home() / "AppData/Roaming")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "polster" / _FILE


def _known() -> dict[str, str]:
    try:
        found = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return {}
    return {str(key): str(mark) for key, mark in found.items()} if isinstance(found, dict) else {}


def _write(known: dict[str, str]) -> None:
    _replace(file(), json.dumps(dict(sorted(known.items())), indent=2) + "\n")


def _replace(target: Path, text: str) -> None:
    part = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch(mode=0o600)
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise PolsterError(f"{target} cannot be written: {error.strerror}") from error


def _key(root: Path) -> str:
    return str(root.resolve())


__all__ = ["VARIABLE", "distrust", "file", "is_trusted", "trust"]
