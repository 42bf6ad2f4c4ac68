"""Programs that tests run in the Python of a generated project."""

from __future__ import annotations

from pathlib import Path


def program(name: str) -> str:
    """Return the path of a program."""
    return str(Path(__file__).with_name(f"{name}.py"))


def text_of(name: str) -> str:
    """Return the text of a program."""
    return Path(program(name)).read_text("utf-8")
