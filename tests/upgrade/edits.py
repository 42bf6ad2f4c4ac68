"""What a team makes of a project: the edits that an upgrade has to bring through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

HAND_MADE = {
    "src/core/gold_revenue.py": '''"""Gold: revenue."""

import polars as pl

from core.runtime import run


def aggregate(example: pl.LazyFrame) -> pl.LazyFrame:
    """Revenue a day."""
    return example.group_by(pl.col("ordered_at").dt.date()).agg(pl.col("amount").sum())


if __name__ == "__main__":
    run(aggregate)
''',
    "src/orchestration/assets/gold/run_gold_revenue.py": '''"""The Dagster asset of gold_revenue."""

import dagster as dg

from core.gold_revenue import aggregate
from orchestration.utils import ON_UPSTREAM_SUCCESS, Results, contract_check, materialize


@dg.asset(
    group_name="gold",
    kinds={"gold", "polars"},
    deps=["run_silver_example"],
    automation_condition=ON_UPSTREAM_SUCCESS,
    check_specs=[contract_check("run_gold_revenue")],
)
def run_gold_revenue(context: dg.AssetExecutionContext) -> Results:
    """Revenue a day."""
    yield from materialize(context, aggregate)
''',
    "tests/test_gold_revenue.py": """import polars as pl

from core.gold_revenue import aggregate


def test_nothing_of_nothing() -> None:
    schema = {"ordered_at": pl.Datetime, "amount": pl.Int64}
    assert aggregate(pl.LazyFrame(schema=schema)).collect().is_empty()
""",
}
REGISTRATION = '''"""The gold assets."""

from orchestration.assets.gold.run_gold_example import run_gold_example
from orchestration.assets.gold.run_gold_revenue import run_gold_revenue

__all__ = ["run_gold_example", "run_gold_revenue"]
'''
README = "# Shop\n\nRewritten by the team: ask Ann.\n"
PATCH = "# The team's patch: other colours.\n"
JOB = 'jobs=[dg.define_asset_job("all_assets"), dg.define_asset_job("gold", "group:gold")],'


def edit(root: Path) -> None:
    """Make every edit."""

    def change(path: str, function: Callable[[str], str]) -> None:
        before = (root / path).read_text()
        after = function(before)
        assert after != before, path
        (root / path).write_text(after)

    def replace(path: str, old: str, new: str) -> None:
        change(path, lambda text: text.replace(old, new, 1))

    def append(path: str, text: str) -> None:
        change(path, lambda before: before + text)

    for path, text in HAND_MADE.items():
        (root / path).write_text(text)
    (root / "src/orchestration/assets/gold/__init__.py").write_text(REGISTRATION)
    (root / "README.md").write_text(README)
    (root / "docs/connectors/sftp-guide.md").unlink()
    replace(
        "src/core/silver_example.py", "class Contract", "# Ours: agreed with sales.\nclass Contract"
    )
    replace("pyproject.toml", '"UP", "SIM"]', '"UP", "SIM", "PIE"]')
    replace("pyproject.toml", '    "rich>=14,<16",\n', '    "rich>=14,<16",\n    "tenacity>=9",\n')
    append("pyproject.toml", "\n[tool.coverage.run]\nbranch = true\n")
    replace("src/orchestration/definitions.py", 'jobs=[dg.define_asset_job("all_assets")],', JOB)
    append("src/core/runtime/report.py", PATCH)
    append(".env.example", "\n# Where Ann's reports go.\nREPORTS_URL=https://reports.example\n")
    append(".gitignore", "reports/\n")
    replace(".github/workflows/polster.yml", "timeout-minutes: ", "timeout-minutes: 1")
    append("AGENTS.md", "\n- Ask Ann before you change a contract.\n")
    append(".dagster/dagster.yaml", "\nretention:\n  schedule: {purge_after_days: 90}\n")
