"""Links from the Dagster UI to the code."""

import dagster as dg

from polster_runtime.assets.binding import core_file
from polster_runtime.domain.asset_id import AssetId


def with_code_link(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset, with a link to its function."""
    file = core_file(AssetId.parse(spec.key.to_user_string()))
    links = dg.CodeReferencesMetadataValue(
        code_references=[dg.LocalFileCodeReference(file_path=str(file))]
    )
    return spec.merge_attributes(metadata={"dagster/code_references": links})
