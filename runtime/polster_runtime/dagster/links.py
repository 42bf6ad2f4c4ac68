"""Links from the Dagster UI to the code."""

from collections.abc import Mapping

import dagster as dg

from polster_runtime.assets.binding import core_file
from polster_runtime.dagster.asset_keys import asset_of_key

LINK = "dagster/code_references"


def code_link(file: str, line: int = 1) -> Mapping[str, dg.CodeReferencesMetadataValue]:
    """The metadata of an asset that links to a line of a file."""
    reference = dg.LocalFileCodeReference(file_path=file, line_number=line)
    return {LINK: dg.CodeReferencesMetadataValue(code_references=[reference])}


def with_link(spec: dg.AssetSpec, file: str, line: int = 1) -> dg.AssetSpec:
    """The asset, with a link to a line of a file."""
    return spec.merge_attributes(metadata=code_link(file, line))


def with_code_link(spec: dg.AssetSpec) -> dg.AssetSpec:
    """An asset with a link to its core file, unless it has one; for definitions of a team."""
    asset = asset_of_key(spec.key)
    if asset is None or LINK in spec.metadata:
        return spec
    return with_link(spec, str(core_file(asset)))
