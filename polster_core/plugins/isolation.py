"""Run the code of plugins so that a plugin that fails, prints or takes long stops nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from polster_core.plugins import validation
from polster_core.plugins.capture import captured
from polster_core.plugins.origin import Origin


class Isolation:
    """Runs plugins, and keeps what was wrong: the first problem and its cause, and all notes."""

    def __init__(self) -> None:
        """Start with nothing noted."""
        self.problems: dict[Origin, str] = {}
        self.causes: dict[Origin, BaseException] = {}
        self.notes: dict[Origin, list[str]] = {}

    def blame(self, origin: Origin, problem: str) -> None:
        """Note what is wrong with a plugin; the first problem stays."""
        self.problems.setdefault(origin, problem)

    def note(self, origin: Origin, text: str) -> None:
        """Note what is worth knowing about a plugin and stops nothing; each text once."""
        known = self.notes.setdefault(origin, [])
        if text not in known:
            known.append(text)

    @contextmanager
    def running(
        self, origin: Origin, where: str = "", *, slow: float | None = None
    ) -> Iterator[None]:
        """Run a block of a plugin's code: what it raises is noted and goes no further.

        `where` is put before each note; a block that takes longer than `slow` seconds is noted,
        too. KeyboardInterrupt passes.
        """
        with captured() as seen:
            try:
                yield
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - SystemExit is not the plugin's to raise
                self.blame(origin, f"{where}{validation.in_one_line(error)}")
                self.causes.setdefault(origin, error)
        if seen.text:
            self.note(origin, f"{where or 'importing it '}printed {seen.text}")
        if slow is not None and seen.seconds > slow and not origin.is_own:
            self.note(origin, f"importing it took {seen.seconds:.1f} s")
