"""How Polster itself was installed: for plugins beside it, and for pipelines."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_OPEN = re.compile(r"https://[^\s@#?\"\\]+")
"""An address that a pipeline can reach and that has no credentials in it."""


def install_command(plugins: Sequence[str], version: str) -> list[str]:
    """Return the command that installs plugins beside this Polster.

    That is uv's or pipx's where they keep Polster in an environment of its own, else pip's or uv's
    in the environment of this Python. Polster's own version is asked for as well, so that a plugin
    that needs other libraries than Polster does is refused instead of breaking it.
    """
    own = f"polster=={version}"
    prefix = Path(sys.prefix)
    if (receipt := prefix / "uv-receipt.toml").is_file():
        there = [text for name, text in _requirements(receipt) if name != "polster"]
        every = [word for name in [*there, *plugins] for word in ("--with", name)]
        return ["uv", "tool", "install", "--force", own, *every]
    if (prefix / "pipx_metadata.json").is_file():
        return ["pipx", "inject", "polster", *plugins]
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", *plugins, own]
    uv = shutil.which("uv") or "uv"
    return [uv, "pip", "install", "--python", sys.executable, *plugins, own]


def pinned() -> str:
    """Return what installs the same Polster somewhere else, with a hash; "" where nobody knows.

    Installers note where a package came from, if not from an index (PEP 610). A folder or a file
    of this machine is nothing that another one could install.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        noted = distribution("polster").read_text("direct_url.json")
        return _pin(json.loads(noted or "{}"))
    except (PackageNotFoundError, OSError, ValueError, TypeError, AttributeError):
        return ""


def _pin(noted: Mapping[str, Any]) -> str:
    url, vcs, archive = (noted.get(key) for key in ("url", "vcs_info", "archive_info"))
    if not _OPEN.fullmatch(url or "") or "subdirectory" in noted:
        return ""
    if vcs:
        commit = str(vcs.get("commit_id"))
        is_git = vcs.get("vcs") == "git" and re.fullmatch("[0-9a-f]{40}", commit)
        return f"git+{url}@{commit}" if is_git else ""
    hashes = (archive or {}).get("hashes") or {}
    digest = hashes.get("sha256") or str((archive or {}).get("hash")).removeprefix("sha256=")
    return f"{url}#sha256={digest}" if re.fullmatch("[0-9a-f]{64}", digest) else ""


def _requirements(receipt: Path) -> list[tuple[str, str]]:
    """Return what a tool of uv was installed with: names, and what to type."""
    found = tomllib.loads(receipt.read_text(encoding="utf-8")).get("tool", {})
    listed = found.get("requirements", ())
    return [(str(one["name"]), _text(one)) for one in listed if one.get("name")]


def _text(requirement: dict[str, object]) -> str:
    extras = requirement.get("extras")
    listed = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) else ""
    if path := requirement.get("directory") or requirement.get("path") or requirement.get("url"):
        return str(path)
    return f"{requirement['name']}{listed}{requirement.get('specifier', '')}"


__all__ = ["install_command", "pinned"]
