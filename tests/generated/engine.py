"""Projects whose runs are interrupted, and what is left of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.generated.projects import Generated

STOPS_SECONDS = 10.0
"""After that nothing is published any more."""
SEED = 12

ONE = 'def extract() -> pl.DataFrame:\n    return pl.DataFrame({"id": [1]})'
COPY = "def {function}(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df"


def chains(shop: Generated, *names: str) -> None:
    """Add chains of quick assets: bronze, silver and gold of each name."""
    for name in names:
        shop.add(f"bronze_{name}", ONE)
        shop.add(f"silver_{name}", COPY.format(function="transform"), [f"bronze_{name}"])
        shop.add(f"gold_{name}", COPY.format(function="aggregate"), [f"silver_{name}"])


def published(shop: Generated) -> dict[Path, float]:
    """Return all snapshots, and when each appeared."""
    return {path: path.stat().st_ctime for path in (shop.root / "data").glob("*/*/*.parquet")}


def assert_stopped(shop: Generated, told_at: float) -> None:
    """Nothing was published after a run was told to stop, and nothing is left of it."""
    late = [path for path, when in published(shop).items() if when > told_at + STOPS_SECONDS]
    assert late == []
    assert shop.staged() == []


def moments(count: int, longest: float) -> Iterator[float]:
    """Yield random moments, in seconds: the same in each run."""
    dice = random.Random(SEED)  # noqa: S311 - moments, not secrets
    yield from (dice.uniform(0, longest) for _ in range(count))
