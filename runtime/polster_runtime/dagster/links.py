"""Links from the Dagster UI to the code."""

import dagster as dg

from polster_runtime.assets.binding import core_file
from polster_runtime.dagster.asset_keys import asset_of_key


def with_code_link(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset, with a link to its function, unless it has one."""
    asset = asset_of_key(spec.key)
    if asset is None or "dagster/code_references" in spec.metadata:
        return spec
    return with_link(spec, str(core_file(asset)))


def with_link(spec: dg.AssetSpec, file: str, line: int = 1) -> dg.AssetSpec:
    """The asset, with a link to a line of a file."""
    links = dg.CodeReferencesMetadataValue(
        code_references=[dg.LocalFileCodeReference(file_path=file, line_number=line)]
    )
    return spec.merge_attributes(metadata={"dagster/code_references": links})
