"""Let the sensor that tells of overdue data look twice, three days from now."""

import os
import time

import dagster as dg

from core.paths import DAGSTER_HOME
from orchestration.definitions import defs
from polster_runtime.dagster.alerts import alert_sensors

os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
now = time.time
time.time = lambda: now() + 3 * 86_400
(sensor,) = [one for one in alert_sensors() if one.name == "alert_overdue_data"]
repository, cursor = defs().get_repository_def(), None
for _ in range(2):
    with dg.build_sensor_context(
        instance=dg.DagsterInstance.get(), repository_def=repository, cursor=cursor
    ) as context:
        cursor = sensor.evaluate_tick(context).cursor
