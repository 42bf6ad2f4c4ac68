"""Mentions of an asset in texts: docs, comments, docstrings, and strings in code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from polster_core.model.layers import AssetId


@dataclass(frozen=True)
class Mentions:
    """How an asset is mentioned, and how it will be.

    In prose every `silver_orders`, `run_silver_orders`, `test_silver_orders` and `silver/orders`
    means the asset. In a string of code the bare `silver_orders` may as well be a table of some
    database, so there it counts only as a path, as a module, or alone.
    """

    old: AssetId
    new: AssetId

    @cached_property
    def _stem(self) -> re.Pattern[bytes]:
        return re.compile(rb"(?<!\w)(run_|test_)?" + self.old.stem.encode() + rb"(?!\w)")

    @cached_property
    def _folder(self) -> re.Pattern[bytes]:
        folder = f"{self.old.layer}/{self.old.name}"
        return re.compile(rb"(?<![\w/])((?:\.?/)?data/)?" + folder.encode() + rb"(?!\w)")

    @cached_property
    def _certain(self) -> re.Pattern[bytes]:
        """A key, a test, a module, a Python file, or an expression that selects assets."""
        stem = self.old.stem.encode()
        return re.compile(
            rb"(?<!\w)(?:(?P<prefix>run_|test_)" + stem + rb"(?!\w)"
            rb"|(?P<module>core[./])" + stem + rb"(?!\w)"
            rb"|" + stem + rb"(?=\.py\b))"
            rb"|\A(?P<before>[+*@\d]*)" + stem + rb"(?=[+*\d]*\Z)"
        )

    def occur_in(self, text: bytes) -> bool:
        """Whether a file may mention the asset at all. Quick."""
        return self.old.stem.encode() in text or self._folder.search(text) is not None

    def in_prose(self, text: bytes) -> bytes:
        """Return a text with every mention renamed."""
        stem = self.new.stem.encode()
        text = self._stem.sub(lambda found: (found[1] or b"") + stem, text)
        return self._folder.sub(lambda found: (found[1] or b"") + self._new_folder, text)

    def in_string(self, text: bytes) -> bytes:
        """Return the inside of a string with those mentions renamed that are beyond doubt."""
        stem = self.new.stem.encode()

        def replaced(found: re.Match[bytes]) -> bytes:
            return (found["prefix"] or found["module"] or found["before"] or b"") + stem

        text = self._certain.sub(replaced, text)
        return self._folder.sub(
            lambda found: found[1] + self._new_folder if found[1] else found[0], text
        )

    def in_doubt(self, text: bytes) -> bool:
        """Whether a string that has been through `in_string` still mentions the asset."""
        return self._stem.search(text) is not None

    @property
    def _new_folder(self) -> bytes:
        return f"{self.new.layer}/{self.new.name}".encode()


def rename_mentions(text: bytes, old: AssetId, new: AssetId) -> bytes:
    """Rename every mention of an asset in a document."""
    return Mentions(old, new).in_prose(text)
