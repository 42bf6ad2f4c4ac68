"""R11: silver and gold are requested because of what happens, once, whatever happens."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import dagster as dg
import pytest

from polster_runtime.dagster.automation import ON_UPSTREAM_SUCCESS, condition_of, sensors
from polster_runtime.dagster.upstream_sensor import Cursor
from tests.runtime.daemon_world import World, random_graph

ANY = random.Random(1)  # noqa: S311 - nothing is to be kept secret


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Be in a project: settings are read from there."""
    monkeypatch.setenv("PROJECT_ROOT", str(tmp_path_factory.mktemp("shop")))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Return an instance with no history."""
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.mark.parametrize("seed", range(int(os.environ.get("SEEDS", "16"))))
def test_r11_whatever_happens_all_is_up_to_date_in_the_end_and_nothing_ran_twice(
    seed: int, instance: dg.DagsterInstance
) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing is to be kept secret
    world = World(random_graph(chance), instance)
    for _ in range(60):
        act(world, chance)
    for _ in range(200):
        asked = world.tick()
        if not asked and not world.runs:
            break
        for run in [*world.runs]:
            world.step(run, chance, failing=set())
    assert not world.runs
    assert [*world.stale()] == []


def act(world: World, chance: random.Random) -> None:
    """Do something that happens in a project's life."""
    kind = chance.choices(
        ["tick", "lost", "step", "start", "report", "kill", "cancel"], [20, 5, 60, 8, 3, 2, 2]
    )[0]
    if kind == "tick":
        world.tick()
    elif kind == "lost":
        world.tick(lost=chance.choice(["before", "after"]))
    elif kind == "start":
        names = [*world.graph]
        world.start({*chance.sample(names, chance.randint(1, len(names)))})
    elif kind == "report":
        world.report(chance.choice([*world.graph]))
    elif world.runs:
        run = chance.choice(world.runs)
        if kind == "step":
            world.step(run, chance, failing={name for name in world.graph if chance.random() < 0.2})
        else:
            world.end(run, "PIPELINE_FAILURE" if kind == "kill" else "PIPELINE_CANCELED")


def test_a_look_says_what_a_run_is_for_and_then_nothing(instance: dg.DagsterInstance) -> None:
    world = World({"b0": [], "b1": [], "s0": ["b0", "b1"], "g0": ["s0"]}, instance)
    world.report("b0")
    assert not world.tick(), "b1 has no data yet"
    world.report("b1")
    assert world.tick()
    [run] = world.runs
    assert run.selection == {"s0", "g0"}
    tags = instance.get_run_by_id(run.id).tags  # type: ignore[union-attr]
    assert tags["polster/because"] == "new data in b0, b1"
    while world.runs:
        world.step(run, ANY, failing=set())
    for _ in range(3):
        assert not world.tick()
    cursor = world.cursor
    assert not world.tick()
    assert world.cursor == cursor, "nothing has happened"


def test_what_a_failed_sibling_kept_from_running_runs_without_it(
    instance: dg.DagsterInstance,
) -> None:
    world = World({"b0": [], "b1": [], "s0": ["b0"], "s1": ["b1"], "g0": ["s0", "s1"]}, instance)
    for names, failing in (("b0", "b1"), ""), (("b0", "b1"), "s1"):
        for name in names:
            world.report(name)
        assert world.tick()
        [run] = world.runs
        assert run.selection == {"s0", "s1", "g0"}
        while world.runs:
            world.step(run, ANY, failing={failing})
    assert world.tick()
    assert [run.selection for run in world.runs] == [{"g0"}]


def test_conditions_of_the_team_are_left_to_dagster() -> None:
    own = dg.AutomationCondition.on_cron("@daily")
    specs = [
        dg.AssetSpec("s0", automation_condition=ON_UPSTREAM_SUCCESS),
        dg.AssetSpec("s1", automation_condition=own),
        dg.AssetSpec("s2", automation_condition=ON_UPSTREAM_SUCCESS & own),
    ]
    [ours, dagsters] = sensors(specs)
    assert (ours.name, dagsters.name) == ("medallion", "automation_conditions")
    assert isinstance(dagsters, dg.AutomationConditionSensorDefinition)
    assert len(sensors(specs[:1])) == 1
    assert condition_of(specs[0]) is None
    assert condition_of(specs[1]) == own


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"waiting": 1}', "eJxdj0", '{"x": []}'])
def test_the_cursor_of_another_sensor_is_a_first_look(text: str) -> None:
    assert Cursor.read(text) == Cursor()
    assert Cursor.read(Cursor(newest=7, waiting=("a",)).write()) == Cursor(newest=7, waiting=("a",))
