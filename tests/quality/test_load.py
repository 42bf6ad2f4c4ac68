"""What is wrong with a contract or a setting is one clear line when the project loads."""

from __future__ import annotations

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told

ONES = 'def extract() -> pl.DataFrame:\n    return pl.DataFrame({"id": [1]})'
COPY = "\n\ndef transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df\n"
# All else that can be wrong is in tests/runtime.
CONTRACTS = {"Contract = 7": "silver_x: Contract must be a class made from dy.Schema"}
SETTINGS = {
    "MAX_REJECTED=1.5": "MAX_REJECTED must be from 0 to 1, not 1.5",
    "BRONZE_CRON=at noon": "BRONZE_CRON=at noon TIMEZONE=UTC: ",
}


def refused(shop: Generated, **env: str) -> str:
    """Return the one line with which a project refuses to load."""
    done = shop.run("--status", env=env)
    assert done.returncode == 2, told(done)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("error: ").strip()


@pytest.mark.parametrize("code", CONTRACTS)
def test_contracts(project: MakeProject, code: str) -> None:
    shop = project(samples=False)
    shop.add("bronze_x", ONES)
    shop.add("silver_x", code + COPY, ["bronze_x"])
    assert CONTRACTS[code] in refused(shop)


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(project: MakeProject, setting: str) -> None:
    shop = project(samples=False)
    shop.add("bronze_x", ONES)
    shop.add("silver_x", COPY, ["bronze_x"])
    name, _, text = setting.partition("=")
    assert refused(shop, **{name: text}).startswith(SETTINGS[setting])


def test_silver_without_a_contract_runs_and_says_so(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_x", ONES)
    shop.add("silver_x", COPY, ["bronze_x"])
    done = shop.run()
    assert done.returncode == 0, told(done)
    told_so = "False WARN True There is no contract: write a class Contract beside the function.\n"
    assert shop.program("contract_check", "run_silver_x").stdout == told_so


def test_a_contract_without_columns_publishes_nothing(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_x", ONES)
    shop.add("silver_x", "class Contract(dy.Schema): ..." + COPY, ["bronze_x"])
    outcome = shop.json(code=1)
    error = "the contract names no columns: add a line for each"
    assert [one["error"] for one in outcome["assets"]] == [None, error]
