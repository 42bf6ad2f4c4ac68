"""Commented sample code for the function of a new asset: something real to start from."""

from __future__ import annotations

from collections.abc import Sequence

from polster_core.model.layers import AssetId, Layer

WIDTH = 100
"""Characters in a line of a generated project."""
_INDENT = "    "


def sample(asset: AssetId, parameters: Sequence[str], partition: str = "") -> str:
    """Return comment lines for the body of an asset's function, each with its newline.

    Without their `# ` they are a body that runs, on frames with the columns `id`, `name` and
    `amount`. Bronze with a `partition`, of which this is an example, reads that partition alone.
    Returns "" where a name is too long for a line.
    """
    code = _BODIES[asset.layer](asset, parameters)
    if partition and asset.layer is Layer.BRONZE:
        code = _extract_partition(asset, partition)
    lines = [f"{_INDENT}# {line}".rstrip() for line in ("For example:", "", *code)]
    if max(map(len, lines)) > WIDTH:
        return ""
    return "".join(f"{line}\n" for line in lines)


def _extract(asset: AssetId, _: Sequence[str]) -> list[str]:
    return [
        "from core.paths import PROJECT_ROOT",
        "",
        f'path = PROJECT_ROOT / "incoming/{asset.name}.csv"',
        "return pl.scan_csv(path, infer_schema=False)  # every column as text, as it comes",
    ]


def _extract_partition(asset: AssetId, partition: str) -> list[str]:
    return [
        "from core.paths import PROJECT_ROOT",
        "",
        f'path = PROJECT_ROOT / f"incoming/{asset.name}/{{partition}}.csv"  # {partition}.csv',
        "return pl.scan_csv(path, infer_schema=False)  # every column as text, as it comes",
    ]


def _transform(_: AssetId, parameters: Sequence[str]) -> list[str]:
    first, *others = parameters
    return [
        "return (",
        f'    {first}.unique("id", keep="last", maintain_order=True)',
        '    .filter(pl.col("id").is_not_null())',
        '    .with_columns(pl.col("name").str.strip_chars())',
        *_joins(others),
        ")",
    ]


def _aggregate(_: AssetId, parameters: Sequence[str]) -> list[str]:
    first, *others = parameters
    return [
        "return (",
        f"    {first}",
        *_joins(others),
        '    .group_by("name")',
        '    .agg(pl.len().alias("rows"), pl.col("amount").sum())',
        '    .sort("name")',
        ")",
    ]


def _joins(others: Sequence[str]) -> list[str]:
    return [f'    .join({other}, on="id", how="left")' for other in others]


_BODIES = {Layer.BRONZE: _extract, Layer.SILVER: _transform, Layer.GOLD: _aggregate}
