"""Whether another daemon works on the same history: `dagster dev`, or `--ui` on another machine."""

import time
from typing import Any

import dagster as dg

LOOK_SECONDS = 10.0
"""How often to look; a daemon writes its heartbeats every thirty seconds."""
ADVICE = (
    "another daemon works on the same history (dagster dev, or --ui elsewhere): "
    "stop one of them, or what is scheduled runs twice"
)


class Heartbeats:
    """The daemons that write heartbeats in one history, in the order of their last ones."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._looked = -LOOK_SECONDS
        self._latest = 0.0
        self._daemons: list[str] = []
        self._told = False

    def advice(self) -> str:
        """What to say as soon as a daemon goes on after another has begun; "" before and later."""
        now = time.monotonic()
        if self._told or now - self._looked < LOOK_SECONDS:
            return ""
        self._looked = now
        for beat in self._new():
            self._latest = beat.timestamp
            if beat.daemon_id in self._daemons[:-1]:
                self._told = True
                return ADVICE
            if beat.daemon_id not in self._daemons:
                self._daemons.append(beat.daemon_id)
        return ""

    def _new(self) -> list[Any]:
        try:
            beats: list[Any] = [*self._instance.get_daemon_heartbeats().values()]
        except Exception:  # it is advice only
            return []
        beats.sort(key=lambda beat: beat.timestamp)
        return [beat for beat in beats if beat.timestamp > self._latest]
