"""Runs, a daemon that is killed now and then, and what they leave in Dagster's history.

Steps do nothing here, but the events are those of real runs, in an order that chance decides: runs
overlap, fail, are cancelled, and the sensor's answers are lost before or after its run is there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.events import StepMaterializationData

from polster_runtime.dagster.automation import ON_UPSTREAM_SUCCESS, condition_of, sensors

SENSOR, SEEN = "medallion", "dagster/input_event_pointer/"
RUN_KEY = "dagster/run_key"

Versions = dict[str, int]
"""For each upstream asset the materialization that was the newest, by its number."""


def definitions(graph: dict[str, list[str]]) -> dg.RepositoryDefinition:
    """Return assets with these upstream assets, their checks, and what starts them."""

    def asset(name: str, upstream: list[str]) -> dg.AssetsDefinition:
        @dg.asset(
            name=name,
            deps=upstream,
            automation_condition=ON_UPSTREAM_SUCCESS if upstream else None,
            check_specs=[dg.AssetCheckSpec("contract", asset=name, blocking=True)],
        )
        def found() -> Iterator[dg.MaterializeResult[None]]:
            yield dg.MaterializeResult()

        return found

    assets = [asset(name, upstream) for name, upstream in graph.items()]
    return dg.Definitions(
        assets=dg.map_asset_specs(_without_marker, assets),
        jobs=[dg.define_asset_job("all_assets", executor_def=dg.in_process_executor)],
        sensors=sensors([spec for one in assets for spec in one.specs]),
    ).get_repository_def()


def _without_marker(spec: dg.AssetSpec) -> dg.AssetSpec:
    return spec.replace_attributes(automation_condition=condition_of(spec))


@dataclass
class Run:
    """A run that has not ended: what is left to do, and what has gone wrong."""

    id: str
    number: int
    selection: set[str]
    asked: bool
    """Whether the sensor asked for it."""
    left: list[str]
    before: Versions
    """What there was when it began."""
    started: dict[str, Versions] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)


class World:
    """Assets, their history, and a model of what was asked for."""

    def __init__(self, graph: dict[str, list[str]], instance: dg.DagsterInstance) -> None:
        """Begin with no data."""
        self.graph = graph
        self.instance = instance
        self.repository = definitions(graph)
        self.job = self.repository.get_job("all_assets")
        self.cursor: str | None = None
        self.runs: list[Run] = []
        self.keys: set[str] = set()
        self.versions: Versions = dict.fromkeys(graph, 0)
        self.tried: dict[str, Versions] = {}
        """The latest that an attempt at each asset has seen, however it ended."""
        self.seen: dict[str, Versions] = {}
        """What the latest materialization of each asset has seen."""
        self.excused: dict[str, Versions] = {}
        """Changes that a run was to follow by itself, which nobody else does."""
        self.broken: set[str] = set()
        """Assets whose contract failed."""
        self.checked: dict[str, int] = {}
        """The run of the latest contract check; of two, Dagster takes the run that began later."""
        self.started = self.requested = 0

    def tick(self, lost: str = "") -> bool:
        """Look once; the daemon may die `before` it makes the run, or `after` it.

        Return whether something was asked for.
        """
        sensor = self.repository.get_sensor_def(SENSOR)
        with dg.build_sensor_context(
            self.instance, self.cursor, repository_def=self.repository
        ) as context:
            found = sensor.evaluate_tick(context)
        asked = False
        if lost != "before":
            for request in found.run_requests or ():
                if request.run_key not in self.keys:
                    asked = True
                    self.keys.add(str(request.run_key))
                    names = {key.to_user_string() for key in request.asset_selection or ()}
                    self._may_be_asked_for(names)
                    self.start(names, dict(request.tags) | {RUN_KEY: str(request.run_key)})
            if lost != "after":
                self.cursor = found.cursor
        return asked

    def start(self, names: set[str], tags: dict[str, str] | None = None) -> Run:
        """Start a run of some assets."""
        keys = frozenset(map(dg.AssetKey, names))
        run_id = self.instance.create_run_for_job(
            self.job.get_subset(asset_selection=keys), asset_selection=keys, tags=tags
        ).run_id
        left = [name for name in self.graph if name in names]
        self.started += 1
        run = Run(run_id, self.started, names, tags is not None, left, dict(self.versions))
        self.runs.append(run)
        self._report(run, "PIPELINE_START")
        return run

    def step(self, run: Run, chance: random.Random, failing: AbstractSet[str]) -> None:
        """Start a step of a run, end one, or end the run; some fail where they end now."""
        ready = [
            name
            for name in run.left
            if not {*self.graph[name]} & ({*run.left, *run.started} | run.failed)
        ]
        if run.started and (not ready or chance.random() < 0.5):
            name = chance.choice(sorted(run.started))
            fails = name in failing
            if not fails or chance.random() < 0.5:
                self._check(run, name, passed=not fails)
            self._end_step(run, name, fails=fails)
        elif ready:
            name = chance.choice(ready)
            run.left.remove(name)
            run.started[name] = {up: self.versions[up] for up in self.graph[name]}
            self._try(name, run.started[name])
            self._report(run, "STEP_START", name)
        else:  # what is left depends on what has failed
            self.end(run, "PIPELINE_FAILURE" if run.failed else "PIPELINE_SUCCESS")

    def end(self, run: Run, event: str) -> None:
        """End a run, whatever it is doing."""
        self._report(run, event)
        self.runs.remove(run)
        skipped = run.selection - run.done - run.failed - run.started.keys()
        by_itself = not run.asked or event == "PIPELINE_CANCELED"
        for name in skipped:
            for up in self.graph[name]:
                version = run.before[up]
                if up in run.done and by_itself:
                    version = self.versions[up]
                known = self.excused.setdefault(name, {})
                known[up] = max(version, known.get(up, 0))

    def report(self, name: str) -> None:
        """Report a materialization without a run, as the UI does."""
        self._publish(name, dict(self.versions))
        self.instance.report_runless_asset_event(dg.AssetMaterialization(name))
        self.versions[name] = self._number(name)

    def stale(self) -> Iterator[str]:
        """Yield what is older than its upstream assets, though nothing keeps it from running."""
        for name, upstream in self.graph.items():
            if not all(self.versions[up] for up in upstream) or self.broken & {*upstream}:
                continue
            for up in upstream:
                version = self.versions[up]
                known = (self.seen, self.tried, self.excused)
                if not any(of.get(name, {}).get(up) == version for of in known):
                    yield f"{name} has not seen {up}"

    def _may_be_asked_for(self, names: set[str]) -> None:
        """Assert that a run of these is of use, and in nobody's way."""
        self.requested += 1
        for name in names:
            upstream = self.graph[name]
            assert not any(name in run.left or name in run.started for run in self.runs), name
            for up in upstream:
                assert up in names or self.versions[up], f"{name}: {up} is missing"
                assert up in names or up not in self.broken, f"{name}: {up} has failed its check"
                busy = any(up in run.left or up in run.started for run in self.runs)
                assert up in names or not busy, f"{name}: {up} is in progress"
            now = {up: self.versions[up] for up in upstream}
            assert {*upstream} & names or self.tried.get(name) != now, f"{name} again"

    def _check(self, run: Run, name: str, *, passed: bool) -> None:
        if run.number >= self.checked.get(name, 0):
            self.checked[name] = run.number
            (self.broken.discard if passed else self.broken.add)(name)
        found = AssetCheckEvaluation(
            dg.AssetKey(name), "contract", passed, {}, severity=dg.AssetCheckSeverity.ERROR
        )
        self._report(run, "ASSET_CHECK_EVALUATION", name, found)

    def _end_step(self, run: Run, name: str, *, fails: bool) -> None:
        seen = run.started.pop(name)
        if fails:
            run.failed.add(name)
            return
        tags = {SEEN + up: str(number) for up, number in seen.items()}
        event = StepMaterializationData(dg.AssetMaterialization(name, tags=tags))
        self._report(run, "ASSET_MATERIALIZATION", name, event)
        self._publish(name, seen)
        self.versions[name] = self._number(name)
        run.done.add(name)

    def _publish(self, name: str, seen: Versions) -> None:
        self.seen[name] = {up: seen[up] for up in self.graph[name]}
        self._try(name, self.seen[name])

    def _try(self, name: str, seen: Versions) -> None:
        before = self.tried.get(name, {})
        self.tried[name] = {up: max(number, before.get(up, 0)) for up, number in seen.items()}

    def _number(self, name: str) -> int:
        [record] = self.instance.get_asset_records([dg.AssetKey(name)])
        last = record.asset_entry.last_materialization_record
        assert last
        return last.storage_id

    def _report(self, run: Run, kind: str, step: str | None = None, data: Any = None) -> None:
        event = dg.DagsterEvent(kind, "all_assets", step_key=step, event_specific_data=data)
        self.instance.report_dagster_event(event, run.id)


def random_graph(chance: random.Random) -> dict[str, list[str]]:
    """Return bronze, silver and gold of chance, in an order in which they can run."""
    graph: dict[str, list[str]] = {f"b{number}": [] for number in range(chance.randint(1, 4))}
    above: Sequence[str] = list(graph)
    for layer in "sg":
        names = [f"{layer}{number}" for number in range(chance.randint(1, 4))]
        graph |= {
            name: chance.sample(above, chance.randint(1, min(3, len(above)))) for name in names
        }
        above = names
    return graph
