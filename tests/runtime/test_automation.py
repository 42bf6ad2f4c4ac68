"""When assets run by themselves, as the settings say."""

from __future__ import annotations

import pytest

from polster_runtime.dagster.automation import bronze_schedule, medallion_sensor, source_retry
from polster_runtime.errors import SettingsError


@pytest.mark.parametrize(
    ("cron", "timezone"),
    [("at noon", "UTC"), ("61 0 * * *", "UTC"), ("1 0 * * *", "Mars/Olympus")],
)
def test_a_schedule_that_cannot_be_names_both_variables(
    monkeypatch: pytest.MonkeyPatch, cron: str, timezone: str
) -> None:
    monkeypatch.setenv("BRONZE_CRON", cron)
    monkeypatch.setenv("TIMEZONE", timezone)
    with pytest.raises(SettingsError) as refused:
        bronze_schedule()
    assert str(refused.value).startswith(f"BRONZE_CRON={cron} TIMEZONE={timezone}: ")


def test_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRONZE_CRON", "30 5 * * 1")
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("SOURCE_RETRIES", "7")
    schedule = bronze_schedule()
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 5 * * 1", "Europe/Berlin")
    assert source_retry().max_retries == 7


@pytest.mark.parametrize(("enabled", "status"), [("true", "RUNNING"), ("no", "STOPPED")])
def test_both_are_on_or_off(monkeypatch: pytest.MonkeyPatch, enabled: str, status: str) -> None:
    monkeypatch.setenv("AUTOMATION_ENABLED", enabled)
    assert bronze_schedule().default_status.value == status
    assert medallion_sensor(frozenset()).default_status.value == status
