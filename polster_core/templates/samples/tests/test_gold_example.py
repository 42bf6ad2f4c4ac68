from datetime import datetime
from decimal import Decimal

import dagster as dg
import polars as pl

from core.gold_example import Contract, aggregate
from orchestration.definitions import defs


def test_each_segment_is_summed_up() -> None:
    days = [datetime(2026, 1, 1), datetime(2026, 4, 1), datetime(2026, 7, 1)]
    orders = pl.LazyFrame(
        {
            "ordered_at": days,
            "segment": ["school"] * 3,
            "customer_id": [1, 1, 2],
            "amount": [Decimal("91"), Decimal("0"), Decimal("180")],
        }
    )
    result = Contract.validate(aggregate(orders).collect(), cast=True)
    # One a day in the 91 days before the last 90, two a day in those.
    assert result.rows() == [("school", 2, 3, Decimal("271.00"), 90.33, 100.0)]


def test_it_runs_with_all_that_it_is_made_of() -> None:
    made_of = dg.AssetSelection.assets("run_gold_example").upstream()
    job = dg.define_asset_job("one", selection=made_of)
    definitions = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("one").execute_in_process(instance=instance)
    assert result.success
    assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())
