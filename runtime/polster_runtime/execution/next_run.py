"""What the next run of an incremental asset will read, told before it runs."""

from polster_runtime.assets.binding import bind, declared_upstream, function_of
from polster_runtime.assets.increments import plan_of
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import PipelineError
from polster_runtime.execution.kept_rows import starts_over
from polster_runtime.execution.reading import Reading
from polster_runtime.storage.snapshots import Snapshot
from polster_runtime.storage.store import Store


def outlook(data: Store, asset: AssetId, previous: Snapshot) -> str | None:
    """That a run of a silver or gold asset would read everything, and why, or would be refused.

    None when it reads what is new, and of an asset that is not incremental and never was. What is
    upstream counts as it is now.
    """
    if asset.layer == LAYERS[0]:
        return None
    try:
        function, known = function_of(asset), data.provenance(previous)
        starts_over(asset, function, known, full_refresh=False)
        if not plan_of(function).incremental:
            return "replaces all rows: it is not incremental any more" if "kind" in known else None
        bound = bind(function, declared_upstream(asset))
        snapshots = {one: found for one in bound.values() if (found := data.latest(one))}
        if len(snapshots) < len({*bound.values()}):
            return None
        reading = Reading(function, data, bound, snapshots, previous, full_refresh=False)
    except (PipelineError, ImportError, AttributeError, SyntaxError) as error:
        return f"fails: {error}"
    return f"reads everything: {reading.everything}" if reading.everything else None
