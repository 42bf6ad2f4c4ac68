"""The guide for several projects, carried out; what needs environments is in tests/generated."""

from __future__ import annotations

from pathlib import Path

from tests.docs.reader import Reader

PAGE = Path(__file__).parents[2] / "docs/guides/several-projects.md"


def test_the_guide_holds(tmp_path: Path) -> None:
    reader = Reader(page=PAGE.read_text(encoding="utf-8"), folder=tmp_path)
    titles = ("Keys of their own", "Read what another project publishes", "One Dagster for all")
    reader.read(*titles)
    core = (tmp_path / "shop/src/core/bronze_segments.py").read_text("utf-8")
    for line in ("from polster_runtime.sources.project import Project", "source = Project("):
        assert line in core
        assert line in reader.page
    assert (tmp_path / "workspace.yaml").read_text("utf-8").count("python_module:") == 2
