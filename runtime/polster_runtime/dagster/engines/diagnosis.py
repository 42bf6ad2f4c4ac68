"""What `doctor` tries of an engine: the scheduler or broker, its workers, what a worker reaches."""

import time
import uuid
from collections.abc import Callable, Iterator

from polster_runtime.dagster.engines import identity
from polster_runtime.dagster.engines.engine import START_A_WORKER, Engine, engine_settings
from polster_runtime.dagster.engines.worker import PROBE
from polster_runtime.errors import SettingsError

Step = tuple[str, Callable[[], str]]
LOOK_SECONDS = 0.1


def steps_of(what: str, place: str, make: Callable[[], Engine]) -> Iterator[Step]:
    """Steps that need each other; `what` listens at `place`, which has no password in it."""
    engine = make()

    def reach() -> str:
        engine.workers()
        return f"{engine.name} at {place}"

    def workers() -> str:
        found = engine.workers()
        if not found:
            raise SettingsError(f"there is no {engine.name} worker; {START_A_WORKER}")
        for name, told in found.items():
            own = told if isinstance(told, str) else identity.difference(told, identity.here())
            if own:
                raise SettingsError(f"{name}: {own}")
        return f"{len(found)} of them, with the code of this project"

    def probe() -> str:
        try:
            told = _probe(engine)
        finally:
            engine.close()
        if told:
            raise SettingsError(f"from a worker: {told}")
        return "the history and the storage can be read and written"

    yield what, reach
    yield "workers", workers
    yield "from a worker", probe


def _probe(engine: Engine) -> str:
    """Let a worker try the history and the storage; return what is wrong."""
    key, end = f"probe-{uuid.uuid4()}", time.monotonic() + engine_settings().silent_seconds
    engine.start(key, PROBE, identity.here())
    while time.monotonic() < end:
        state = engine.state(key)
        if state.over or state.lost:
            return state.refused or state.lost
        time.sleep(LOOK_SECONDS)
    return f"no answer for {engine_settings().silent_seconds:g} s"
