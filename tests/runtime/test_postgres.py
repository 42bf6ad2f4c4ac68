"""DAGSTER_POSTGRES_URL: a real PostgreSQL keeps the history; what is wrong with it is a line."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance

from polster_runtime.config import root
from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster.doctor import history_in_words
from polster_runtime.dagster.history import LET_GO, POSTGRES_URL, postgres_url
from polster_runtime.dagster.instance import opened
from polster_runtime.dagster.old_runs import prune
from polster_runtime.errors import HistoryError
from tests.postgres import PASSWORD, Server, running
from tests.runtime.history_of import configure, ran
from tests.services import free_port

_numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Return a server for the tests of this file."""
    with running() as started:
        yield started


@pytest.fixture
def database(project: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return an empty database, which is the history of the project."""
    configure(project)
    name = f"dagster{next(_numbers)}"
    server.query(f"CREATE DATABASE {name}")
    monkeypatch.setenv(POSTGRES_URL, server.url(name))
    return name


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_p7_runs_are_kept_there_and_nowhere_else(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv(POSTGRES_URL, server.url(database).replace("postgresql", scheme, 1))
    run_id = ran("a", "b")
    with DagsterInstance.get() as instance:  # as the webserver and the daemon get it
        (run,) = instance.get_runs()
        latest = instance.get_latest_materialization_event(dg.AssetKey("b"))
        told = repr(instance.get_ref()) + instance.info_str()
    assert (run.run_id, run.status.value) == (run_id, "SUCCESS")
    assert latest
    assert latest.run_id == run_id
    assert PASSWORD not in told
    assert "s3cret" not in told
    assert not (dagster_home() / "history").exists()
    assert server.query("SELECT count(*) FROM runs", database) == [(1,)]


def test_p7_a_storage_that_the_team_has_configured_counts_for_the_terminal(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "storage: {postgres: {postgres_url: {env: HISTORY_URL}}}\n"
    (dagster_home() / "dagster.yaml").write_text(own, encoding="utf-8")
    monkeypatch.delenv(POSTGRES_URL)
    url = server.url(database).replace("postgresql", "postgresql+psycopg2")
    monkeypatch.setenv("HISTORY_URL", url)
    ran("a")
    assert server.query("SELECT count(*) FROM runs", database) == [(1,)]
    assert history_in_words() == "PostgresRunStorage, 1 run, kept for 90 days"
    monkeypatch.setenv("HISTORY_URL", f"{url}_gone")
    with pytest.raises(HistoryError) as refused:
        ran("a")
    assert one_line(refused).startswith(
        "Dagster's history in the database that .dagster/dagster.yaml names: database "
    )


def test_it_keeps_its_connections(server: Server, database: str) -> None:
    """A connection for each event would take most of the time of a run."""
    ran("a")
    before = server.connections(database)
    assert before > 0
    ran("a", "b")
    assert server.connections(database) - before < 20  # about a hundred, one by one


def test_a_machine_that_is_cut_off_keeps_its_locks_no_longer_than_this(database: str) -> None:
    assert database
    with opened() as instance:
        storages: list[Any] = [instance.event_log_storage, instance.run_storage]
        for storage in storages:
            connect = getattr(storage, "index_connection", None) or storage.connect
            with connect() as link:
                told = link.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
            assert told == LET_GO


def test_old_runs_go_from_it(server: Server, database: str) -> None:
    first, second, last = ran("a", "b"), ran("a"), ran("a")
    server.query("UPDATE runs SET update_timestamp = now() - interval '91 days'", database)
    with opened() as instance:
        assert prune(instance, days=90)
        kept = {each.run_id for each in instance.get_runs()}
    assert kept == {first, last}
    events = server.query("SELECT DISTINCT run_id FROM event_logs", database)
    assert {row[0] for row in events} == {first, last}
    assert second not in kept


def test_p5_a_database_is_of_one_project(
    database: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database
    ran("a")
    named = (project / "pyproject.toml").read_text("utf-8").replace('"shop"', '"other"')
    (project / "pyproject.toml").write_text(named, encoding="utf-8")
    root._parsed.cache_clear()
    with pytest.raises(HistoryError, match=r"is that of the project shop, .*; give this project"):
        ran("a")
    monkeypatch.setenv("SHARED_HISTORY", "true")
    ran("a")


def test_doctor_tells_where_and_how_large_it_is(server: Server, database: str) -> None:
    ran("a")
    told = history_in_words()
    assert re.fullmatch(
        rf"PostgreSQL ann@127\.0\.0\.1:{server.port}/{database}, \d+\.\d MB, 1 run, "
        r"kept for 90 days",
        told,
    )


def unknown_host() -> str:
    """Return what this system says of a name that nobody has."""
    with pytest.raises(socket.gaierror) as unknown:
        socket.getaddrinfo("nowhere.invalid", 5432)
    return str(unknown.value.strerror)


def one_line(refused: pytest.ExceptionInfo[HistoryError]) -> str:
    """Return what was said, which is a line without the password."""
    text = str(refused.value)
    assert "\n" not in text
    assert "s3cret" not in text
    assert refused.value.__cause__ is None
    return text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("{ann}:wr%40ng@127.0.0.1:{port}/x", "{at}:{port}/x: the password is wrong; {change}"),
        ("{ann}@127.0.0.1:{port}/x", "{at}:{port}/x: it wants a password; {change}"),
        (
            "{right}/missing",
            (
                '{at}:{port}/missing: database "missing" does not exist; create it, or run  '
                "dagster instance migrate  where Dagster is newer"
            ),
        ),
        (
            "{ann}:s3cret@127.0.0.1:{free}/x",
            "{at}:{free}/x: Connection refused; start the server, or {change}",
        ),
        (
            "{ann}:s3cret@nowhere.invalid/x",
            (
                "Dagster's history in PostgreSQL ann@nowhere.invalid/x: could not translate host "
                'name "nowhere.invalid" to address: {unknown}; start the server, or {change}'
            ),
        ),
        ("ann:s3cret@127.0.0.1", "DAGSTER_POSTGRES_URL is no URL; write it as {example}"),
        (
            "mysql://ann:s3cret@127.0.0.1/x",
            "DAGSTER_POSTGRES_URL names no database of PostgreSQL; write it as {example}",
        ),
        (
            "{ann}:x@s3cret@127.0.0.1/x",
            "DAGSTER_POSTGRES_URL has a password with an @ in it; write that as %40, a % as %25",
        ),
    ],
    ids=["password", "none", "database", "refused", "host", "no url", "mysql", "at"],
)
def test_what_is_wrong_with_it_is_a_line(
    project: Path, server: Server, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    configure(project)
    known = {
        "ann": "postgresql://ann",
        "at": "Dagster's history in PostgreSQL ann@127.0.0.1",
        "change": "change DAGSTER_POSTGRES_URL",
        "example": "postgresql://user:password@host:5432/database",
        "free": free_port(),
        "port": server.port,
        "right": server.url("")[:-1],
        "unknown": unknown_host(),
    }
    monkeypatch.setenv(POSTGRES_URL, url.format(**known))
    with pytest.raises(HistoryError) as refused, opened():
        pass
    assert one_line(refused) == said.format(**known)


def test_a_server_that_goes_away_during_a_run_is_a_line(server: Server, database: str) -> None:
    def lose_it() -> None:
        with opened(running=True) as instance:
            server.query(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
            server.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
            )
            instance.get_runs()

    ran("a")
    with pytest.raises(HistoryError) as refused:
        lose_it()
    assert "(what was published stays); start the server, or change" in one_line(refused)
    server.query(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    ran("a")


def test_an_older_schema_asks_for_dagsters_own_migration(server: Server, database: str) -> None:
    ran("a")
    server.query("UPDATE alembic_version SET version_num = '7e2f3204cf8e'", database)
    server.query("ALTER TABLE event_logs DROP COLUMN step_key", database)
    with pytest.raises(HistoryError) as refused:
        history_in_words()
    assert one_line(refused).endswith("is of an older Dagster; dagster instance migrate")
    with pytest.raises(HistoryError) as failed:
        ran("a")
    assert "dagster instance migrate" in one_line(failed)


def test_without_its_package_the_command_that_installs_it_is_said(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database
    monkeypatch.setitem(sys.modules, "dagster_postgres", None)
    with pytest.raises(HistoryError) as refused, opened():
        pass
    assert one_line(refused) == (
        "DAGSTER_POSTGRES_URL is set, but dagster-postgres is not installed; "
        'python -m pip install -e ".[postgres]"'
    )


def test_dagsters_own_commands_use_it(
    server: Server, database: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process that finds the URL in .env alone, and the project by PROJECT_ROOT."""
    monkeypatch.delenv(POSTGRES_URL)
    (project / ".env").write_text(f"{POSTGRES_URL}='{server.url(database)}'\n", encoding="utf-8")
    home = {"DAGSTER_HOME": str(project / ".dagster"), "PROJECT_ROOT": str(project)}
    home["PYTHONPATH"] = str(Path(__file__).parents[2] / "runtime")
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "instance", "migrate"],
        check=False,
        env={**os.environ, **home},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert server.query("SELECT count(*) FROM runs", database) == [(0,)]
    assert postgres_url() is not None
