"""EXECUTOR: what is refused in one sentence before anything runs, and what workers are told."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from polster_runtime.config import interruption, root
from polster_runtime.dagster import executors, private
from polster_runtime.dagster.engines import identity, reconnect, worker
from polster_runtime.dagster.engines.celery.broker import place
from polster_runtime.dagster.engines.k8s import api
from polster_runtime.errors import HistoryError, PipelineError, SettingsError
from tests.services import free_port, wait_for

ENGINES = """
[project.entry-points."polster_runtime.executors"]
celery = "polster_runtime.dagster.engines.celery"
dask = "polster_runtime.dagster.engines.dask"
k8s = "polster_runtime.dagster.engines.k8s"
lacking = "polster_runtime_of_nobody"
"""
READY = {
    "EXECUTOR": "dask",
    "SHARED_DATA": "true",
    "DAGSTER_POSTGRES_URL": "postgresql://ann@hub/dagster",
    "DASK_SCHEDULER_ADDRESS": "tcp://hub:8786",
    "CELERY_BROKER_URL": "redis://hub:6379/0",
}


@pytest.fixture
def ready(project: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return what changes the variables of a project with all engines, which could begin a run."""
    file = project / "pyproject.toml"
    file.write_text(file.read_text("utf-8") + ENGINES, encoding="utf-8")
    root._parsed.cache_clear()
    for name, value in READY.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("name", ["dask", "Celery", "k8s"])
def test_an_engine_whose_settings_are_all_there(ready: pytest.MonkeyPatch, name: str) -> None:
    ready.setenv("EXECUTOR", name)
    assert executors.executor().name == name.lower()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"EXECUTOR": "dsak"},
            "EXECUTOR=dsak: this project has threads, multiprocess, in_process, celery, dask, k8s",
        ),
        ({"EXECUTOR": "dask,celery"}, "EXECUTOR=dask,celery: this project has threads, "),
        (
            {"EXECUTOR": "lacking"},
            "EXECUTOR=lacking: the package polster_runtime_of_nobody is not installed; ",
        ),
        (
            {"SHARED_DATA": ""},
            "EXECUTOR=dask, but the data is in a folder of this machine (STORAGE_BACKEND=local); ",
        ),
        (
            {"DAGSTER_POSTGRES_URL": ""},
            "EXECUTOR=dask, but Dagster's history is in a folder of this machine; set DAGSTER_POS",
        ),
        (
            {"DAGSTER_POSTGRES_URL": "mysql+pymysql://ann:s3cret@hub/x"},
            "DAGSTER_POSTGRES_URL names no database of PostgreSQL; write it as ",
        ),
        (
            {"DAGSTER_POSTGRES_URL": "jdbc:postgresql://hub/x"},
            "DAGSTER_POSTGRES_URL is no URL; write it as postgresql://",
        ),
        (
            {"DAGSTER_POSTGRES_URL": "sqlite:///x.db"},
            "DAGSTER_POSTGRES_URL names no database of PostgreSQL; write it as ",
        ),
        ({"DASK_SCHEDULER_ADDRESS": ""}, "DASK_SCHEDULER_ADDRESS is not set; put what is missing"),
        (
            {"EXECUTOR": "celery", "CELERY_BROKER_URL": ""},
            "CELERY_BROKER_URL is not set; put what is missing",
        ),
        ({"SILENT_SECONDS": "0"}, "SILENT_SECONDS must be 1 or more, not 0"),
    ],
)
def test_what_a_run_could_not_work_with(
    ready: pytest.MonkeyPatch, given: Mapping[str, str], message: str
) -> None:
    for name, value in given.items():
        ready.setenv(name, value)
    with pytest.raises(PipelineError) as refused:
        executors.executor()
    assert isinstance(refused.value, SettingsError | HistoryError)
    assert str(refused.value).startswith(message)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_driver_of_postgresql_is_taken(ready: pytest.MonkeyPatch, scheme: str) -> None:
    ready.setenv("DAGSTER_POSTGRES_URL", f"{scheme}://ann@hub/dagster")
    assert executors.executor().name == "dask"


def test_a_history_that_the_team_has_configured_is_enough(
    ready: pytest.MonkeyPatch, project: Path
) -> None:
    ready.setenv("DAGSTER_POSTGRES_URL", "")
    (project / ".dagster").mkdir()
    own = "storage: {postgres: {postgres_url: {env: HISTORY_URL}}}\n"
    (project / ".dagster" / "dagster.yaml").write_text(own, encoding="utf-8")
    assert executors.executor().name == "dask"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("code", "this worker has the code old, the run {}; bring it to the run's commit and "),
        ("Python", "this worker has Python old, the run {}; install there what the run has"),
        ("Polars", "this worker has Polars old, the run {}; install there what the run has"),
        ("STORAGE_BACKEND", "this worker has STORAGE_BACKEND old, the run {}; give both the same"),
    ],
)
def test_a_worker_that_differs_is_refused_with_what_mends_it(
    project: Path, name: str, message: str
) -> None:
    assert project
    wanted = identity.here()
    told = identity.difference({**wanted, name: "old"}, wanted)
    assert told.startswith(message.format(wanted[name]))
    assert identity.difference(wanted, wanted) == ""
    assert worker.work("not looked at", {**wanted, name: "newer"}).startswith("this worker has ")


def test_the_code_is_the_same_with_other_line_ends(project: Path) -> None:
    folder = project / "src"
    folder.mkdir()
    (folder / "a.py").write_bytes(b"a = 1\nb = 2\n")
    before = identity._code()
    (folder / "a.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    assert identity._code() == before
    (folder / "a.py").write_bytes(b"a = 1\nb = 3\n")
    assert identity._code() != before


def test_a_step_is_told_to_stop_without_the_others_of_its_process() -> None:
    told = False
    with interruption.apart(lambda: told):
        interruption.sleep(0.01)
        interruption.interrupt()  # as a step does that was told
        told = True
        with pytest.raises(interruption.Interrupted):
            interruption.sleep(60)
    assert not interruption.is_interrupted()


def test_a_broker_is_named_without_its_password() -> None:
    url = "rediss://ann:s3cret@hub:6380/1"
    assert place(url) == "rediss://hub:6380/1"


def test_what_begins_the_steps_of_a_stock_executor_is_found() -> None:
    class Steps(private.find(private.STEP_HANDLER)):  # type: ignore[misc]
        """Begins none."""

        name = "none"
        launch_step = check_step_health = terminate_step = lambda *_: iter(())

    steps, mode = Steps(), private.find(private.RETRY_MODE).DISABLED
    assert private.step_handler_of(private.find(private.DELEGATING)(steps, mode)) is steps
    assert private.step_handler_of(object()) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("SELECT 1", {}, Exception("server closed the connection")), True),
        (DBAPIError("SELECT 1", {}, Exception("EOF"), connection_invalidated=True), True),
        (DBAPIError("SELECT 1", {}, Exception("no such column")), False),
        (ValueError("of the code"), False),
    ],
)
def test_only_a_database_that_is_away_is_asked_again(*, error: Exception, expected: bool) -> None:
    assert reconnect.is_away(error) is expected


@pytest.fixture(scope="module")
def redis() -> Iterator[int]:
    """Run a Redis that wants a password; return its port."""
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "s3cret")
    with subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL) as process:
        wait_for(port, process)
        yield port
        process.kill()


@pytest.mark.parametrize(
    ("who", "asks"), [("", "asks for a password"), (":wr0ng@", "asks for another password")]
)
def test_a_broker_that_wants_a_password_says_so(
    ready: pytest.MonkeyPatch, redis: int, who: str, asks: str
) -> None:
    ready.setenv("EXECUTOR", "celery")
    ready.setenv("CELERY_BROKER_URL", f"redis://{who}127.0.0.1:{redis}/0")
    with pytest.raises(SettingsError) as refused:
        executors.engine("celery").engine().workers()
    assert str(refused.value).startswith(f"the broker redis://127.0.0.1:{redis}/0 {asks}; put it")
    assert "wr0ng" not in str(refused.value)


@pytest.mark.parametrize("name", ["dask", "celery"])
def test_an_address_where_nothing_listens(ready: pytest.MonkeyPatch, name: str) -> None:
    place = f"127.0.0.1:{free_port()}"
    ready.setenv("DASK_SCHEDULER_ADDRESS", f"tcp://{place}")
    ready.setenv("CELERY_BROKER_URL", f"redis://:s3cret@{place}/0")
    with pytest.raises(SettingsError, match=rf"^no .* answers at .*{place}") as refused:
        executors.engine(name).engine().workers()
    assert "s3cret" not in str(refused.value)
    assert "; start" in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "EXECUTOR=k8s: Service host/port is not set.; set K8S_KUBECONFIG where runs are not"),
        ("nowhere.yaml", "K8S_KUBECONFIG=nowhere.yaml: "),
    ],
)
def test_a_kubernetes_that_nothing_says_where_it_is(given: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        api.connect(given)
    assert str(refused.value).startswith(message)
