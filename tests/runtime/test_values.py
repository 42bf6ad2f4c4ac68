"""What only shows data never fails, whatever the value."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from polster_runtime.assets.values import UNSHOWN, rows_as_python
from polster_runtime.cli.main import main
from polster_runtime.dagster.results import metadata
from polster_runtime.execution import report
from polster_runtime.execution.materialize import materialize

FAR = {
    "day": pl.Series([5_000_000, 1]).cast(pl.Date),
    "moment": pl.Series([300_000_000_000_000_000, 1]).cast(pl.Datetime("us")),
    "zoned": pl.Series([300_000_000_000_000_000, 1]).cast(pl.Datetime("us", "UTC")),
    "length": pl.Series([2**62, 1]).cast(pl.Duration("ms")),
    "days": pl.Series([5_000_000, 1])
    .cast(pl.Date)
    .to_frame()
    .select(pl.concat_list(""))
    .to_series(),
}
SOURCE = """
    ROWS = pl.DataFrame()

    def extract():
        return ROWS
"""


@pytest.mark.parametrize("kind", FAR)
def test_r6_values_that_python_cannot_hold_are_text(kind: str) -> None:
    first, second = rows_as_python(pl.DataFrame({"x": FAR[kind]}))
    assert isinstance(first["x"], str)
    assert first["x"].strip("+[")[0].isdigit()
    assert not isinstance(second["x"], str)


def test_r6_what_nobody_can_write_down_is_shown_as_that() -> None:
    """Polars panics."""
    frame = pl.DataFrame({"x": pl.Series([2**62]).cast(pl.Datetime("ms"))})
    assert rows_as_python(frame) == [{"x": UNSHOWN}]
    assert UNSHOWN in report.frame(frame)


@pytest.mark.parametrize("kind", FAR)
def test_r6_a_run_and_its_preview_show_such_values(
    kind: str, core_file: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    module = core_file("bronze_far", SOURCE)
    module.ROWS = pl.DataFrame({"x": FAR[kind]})
    done = materialize(module.extract, [])
    (first,) = rows_as_python(pl.DataFrame({"x": FAR[kind]}).head(1))
    assert first["x"] in str(metadata(done)["preview"].value)
    assert main(["preview", "bronze_far", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["preview"][0]["x"] == first["x"]
    assert main(["preview", "bronze_far"]) == 0
    assert first["x"].strip("[]")[:14] in capsys.readouterr().out
