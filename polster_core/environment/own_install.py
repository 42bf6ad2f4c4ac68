"""How Polster itself was installed, and how a plugin gets beside it."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path


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


__all__ = ["install_command"]
