"""What a merge comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Merged:
    """A merged text, and what could not be merged.

    `text` has every change of the team, and those of Polster that do not contradict them; it is
    `None` where the file can only stay as it is. `conflicts` are the contradictions, in words.
    """

    text: bytes | None
    conflicts: tuple[str, ...] = ()
