"""What is wrong with a contract or a setting is one clear line when the project loads."""

from __future__ import annotations

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told

ONES = 'def extract() -> pl.DataFrame:\n    return pl.DataFrame({"id": [1]})'
COPY = "\n\ndef transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df\n"
RULE = "class Contract(dy.Schema):\n    id = dy.Int64()\n\n    @dy.rule()\n    def odd(cls):\n"

CONTRACTS = {
    "class Contract: ...": "silver_x: Contract must be a class made from dy.Schema",
    "Contract = 7": "silver_x: Contract must be a class made from dy.Schema",
    f"{RULE}        raise ValueError('no')": (
        "silver_x: the rule odd of the contract cannot be evaluated: ValueError: no"
    ),
    f"{RULE}        return pl.col('od') > 0": (
        "silver_x: a rule of the contract cannot be evaluated: "
        'unable to find column "od"; valid columns: ["id"]'
    ),
    f"{RULE}        return pl.col('id') + 1": "did not evaluate to a boolean (got i64 instead)",
    "MAX_REJECTED = 1.5": "silver_x: MAX_REJECTED must be from 0 to 1, not 1.5",
    "MAX_REJECTED = '5 %'": "silver_x: MAX_REJECTED must be from 0 to 1, not '5 %'",
}
SETTINGS = {
    "MAX_REJECTED=1.5": "MAX_REJECTED must be from 0 to 1, not 1.5",
    "MAX_REJECTED=nan": "MAX_REJECTED must be from 0 to 1, not nan",
    "BRONZE_CRON=at noon": "BRONZE_CRON=at noon TIMEZONE=UTC: ",
    "BRONZE_CRON=61 0 * * *": "BRONZE_CRON=61 0 * * * TIMEZONE=UTC: ",
    "TIMEZONE=Mars/Olympus": "BRONZE_CRON=1 0 * * * TIMEZONE=Mars/Olympus: ",
    "SENSOR_SECONDS=0": "SENSOR_SECONDS must be 1 or more, not 0",
    "AUTOMATION_ENABLED=perhaps": "AUTOMATION_ENABLED must be true or false, not 'perhaps'",
    "REQUIRE_CONTRACTS=true": "silver_x has no contract, and REQUIRE_CONTRACTS=true asks for one",
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
    error = "the contract names no columns: give it a line for each"
    assert [one["error"] for one in outcome["assets"]] == [None, error]
