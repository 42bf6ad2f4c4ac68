"""The commands of docs/guides/many-machines.md, one after the other."""

from __future__ import annotations

from pathlib import Path

from polster_core.testing.projects import polster
from tests.docs.reader import Reader

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "many-machines.md"


def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    """What needs a cluster is in test_clusters.py."""
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    shop = tmp_path / "shop"
    Reader(page=GUIDE.read_text("utf-8"), folder=shop).read()
    assert (shop / "src/polster_runtime/dagster/engines/dask/__init__.py").exists()
    assert not (shop / "src/polster_runtime/dagster/engines/celery").exists()
    example = (shop / ".env.example").read_text("utf-8")
    for name in ("DASK_SCHEDULER_ADDRESS", "EXECUTOR_MAX_STEPS", "SHARED_DATA", "SILENT_SECONDS"):
        assert f"\n{name}=" in example
