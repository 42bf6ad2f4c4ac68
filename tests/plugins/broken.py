"""For each of Polster's own rules, files that break it; `None` is a file that is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.handmade import PYPROJECT, shop
from tests.project.test_broken import BREAKS, SHOP, Break

Files = Mapping[str, str | None]


def _examples() -> Iterator[tuple[str, Files]]:
    for way in BREAKS:
        for line in way.found if "COPY" not in way.edits.values() else ():
            yield line.partition(" ")[0], _files(way)


def _files(way: Break) -> Files:
    whole = {"pyproject.toml": PYPROJECT, **shop(SHOP)}
    return {
        path: whole[path].replace(*edit) if isinstance(edit, tuple) else edit
        for path, edit in way.edits.items()
    }


BROKEN: Mapping[str, Files] = dict(reversed([*_examples()]))
"""The first example of each rule."""
