"""What a plugin is that does not fit, and how its values are shown."""

from __future__ import annotations

import re


class MisfitError(Exception):
    """A plugin whose hooks cannot be called, or that answers with something else."""


def shown(value: object) -> str:
    """Return a value in at most 40 characters of one line."""
    return shortened(re.sub(r"\s+", " ", repr(value)), 40)


def shortened(text: str, length: int) -> str:
    """Return a text, cut where it is longer."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
