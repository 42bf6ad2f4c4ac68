"""Dagster's history in SQLite: where it is, whose it is, and what is wrong with it in one line."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from dagster import DagsterInstance

from polster_runtime.config import root
from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster import event_log
from polster_runtime.dagster.doctor import history_in_words
from polster_runtime.dagster.instance import opened
from polster_runtime.errors import HistoryError
from tests import machine
from tests.runtime.history_of import configure, ran, run

PROGRAM = Path(__file__).with_name("history_of.py")
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _configured(project: Path) -> None:
    configure(project)


def refused(*names: str) -> str:
    """Run assets; return the line that says why that cannot be."""
    with pytest.raises(HistoryError) as found:
        ran(*(names or ("a",)))
    assert found.value.__cause__ is None
    text = str(found.value)
    assert "\n" not in text
    return text


def overwritten(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def cut(file: Path) -> None:
    with file.open("r+b") as open_file:
        open_file.seek(4096)
        open_file.write(os.urandom(3 * 4096))


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as link:
        link.execute("CREATE TABLE event_logs (text)")
        link.commit()


@pytest.mark.parametrize("name", ["history/runs/index.db", "history/runs.db"])
@pytest.mark.parametrize(
    ("harm", "said"),
    [(overwritten, "is damaged, or is no database; move"), (cut, "is damaged; move")],
    ids=["overwritten", "cut"],
)
def test_s8_a_damaged_file_is_named(name: str, harm: Callable[[Path], None], said: str) -> None:
    ran("a")
    harm(dagster_home() / name)
    text = refused()
    assert text.startswith("Dagster's history in .dagster: .dagster/history/")
    assert name in text
    assert said.partition(";")[0] in text or "damaged" in text
    assert text.endswith("the next run begins a new history, the data stays as it is")
    (dagster_home() / name).rename(dagster_home() / "away.db")
    for suffix in ("-wal", "-shm"):
        (dagster_home() / f"{name}{suffix}").unlink(missing_ok=True)
    assert ran("a")


def test_s8_a_database_of_somebody_else_is_named() -> None:
    ran("a")
    foreign(dagster_home() / "history/runs/index.db")
    text = refused()
    assert "has not the tables of this Dagster (table event_logs has no column" in text
    assert "; dagster instance migrate, or move " in text


def test_s8_a_locked_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ran("a")
    monkeypatch.setattr(event_log, "BUSY_TIMEOUT_SECONDS", 0.2)
    index = dagster_home() / "history/runs/index.db"
    with closing(sqlite3.connect(index, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        text = refused()
        assert text == (
            "Dagster's history in .dagster: another process has locked .dagster (what was "
            "published stays); end that process, and run it again"
        )
    assert ran("a")


def test_s8_a_file_in_place_of_a_folder_is_a_line() -> None:
    (dagster_home() / "history").touch()
    assert refused().startswith("Dagster's history in .dagster: ")


def in_another_process(*args: str, setup: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """Run history_of.py as a program, under a limit."""
    env = {"PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "runtime")))}
    return machine.python(PROGRAM, *args, env=env, setup=setup)


def test_s8_a_full_disk_is_a_line() -> None:
    ran("a")
    done = in_another_process("a", "b", setup=machine.no_file_longer_than(60_000))
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "history" in line]
    assert line.startswith("Dagster's history in .dagster: the disk is full")
    assert line.endswith(
        "(what was published stays); free some space on its disk, and run it again"
    )
    assert "Traceback" not in done.stderr


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Let a folder be a disk of its own, of 1.5 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1536k", "history", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.fail("the tests need root, who may mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_s8_a_disk_that_fills_up_is_a_line_and_goes_on_when_there_is_space(project: Path) -> None:
    with small_disk(dagster_home()):
        configure(project)
        lines = list[str]()
        for _ in range(6):
            try:
                ran("a", "b")
            except HistoryError as error:
                lines.append(str(error))
        assert lines
        for line in lines:
            assert line.startswith("Dagster's history in .dagster: the disk is full")
            assert "\n" not in line
        shutil.rmtree(dagster_home() / "history")
        assert ran("a")


@pytest.mark.parametrize("mode", [0o500, 0o000], ids=["read-only", "another's"])
def test_s8_a_folder_that_is_not_ours_is_a_line(mode: int) -> None:
    ran("a")
    folders = [dagster_home(), dagster_home() / "history", dagster_home() / "history" / "runs"]
    files = list((dagster_home() / "history").rglob("*.db"))
    try:
        for path in reversed([*folders, *files]):
            path.chmod(mode)
        done = in_another_process("a", setup=machine.bound_by_permissions)
    finally:
        for path in folders:
            path.chmod(0o755)
        for path in files:
            path.chmod(0o644)
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Dagster's history")]
    assert line.endswith("make it writable for this user, or name another folder in DAGSTER_HOME")
    assert "Traceback" not in done.stderr
    assert ran("a")


def test_p8_dagster_home_in_the_env_file_counts_and_is_of_the_project(project: Path) -> None:
    (project / ".env").write_text("DAGSTER_HOME=state/dagster\n", encoding="utf-8")
    run_id = ran("a")
    home = project / "state" / "dagster"
    assert dagster_home() == home
    assert os.environ["DAGSTER_HOME"] == str(home)
    assert (home / "dagster.yaml").read_bytes() == (
        project / ".dagster" / "dagster.yaml"
    ).read_bytes()
    assert (home / "history" / "runs" / f"{run_id}.db").exists()
    assert not (project / ".dagster" / "history").exists()
    with DagsterInstance.get() as instance:
        assert [each.run_id for each in instance.get_runs()] == [run_id]
    assert history_in_words().startswith("state/dagster, ")


def test_p5_a_folder_outside_is_of_one_project(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    monkeypatch.setenv("DAGSTER_HOME", str(shared))
    ran("a")
    other = tmp_path_factory.mktemp("other")
    named = (project / "pyproject.toml").read_text("utf-8").replace('"shop"', '"other"')
    (other / "pyproject.toml").write_text(named, encoding="utf-8")
    configure(other)
    monkeypatch.setenv("PROJECT_ROOT", str(other))
    root._parsed.cache_clear()
    assert refused() == (
        f"Dagster's history in {shared} is that of the project shop, where assets of this one "
        "with the same names would be taken for its own; give this project a key-prefix in "
        "[tool.polster], another DAGSTER_HOME or database, or set SHARED_HISTORY=true in both"
    )
    monkeypatch.setenv("SHARED_HISTORY", "true")
    assert ran("a")
    monkeypatch.setenv("SHARED_HISTORY", "false")
    monkeypatch.setenv("DAGSTER_HOME", str(other / ".dagster"))  # of its own
    assert ran("a")


def test_a_copy_of_a_project_keeps_its_own_history(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran("a")
    copy = tmp_path_factory.mktemp("copy") / "shop"
    shutil.copytree(project, copy)
    monkeypatch.setenv("PROJECT_ROOT", str(copy))
    monkeypatch.delenv("DAGSTER_HOME")
    ran("a")
    assert dagster_home() == copy / ".dagster"


def test_a_configuration_that_ignores_the_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (dagster_home() / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "postgresql://ann@127.0.0.1/dagster")
    assert refused().startswith("DAGSTER_POSTGRES_URL is set, but .dagster/dagster.yaml")


def test_what_assets_print_is_on_the_terminal_and_not_in_the_logs() -> None:
    with opened(running=True) as instance:
        run(instance, "a")
        assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"
    with opened() as instance:
        assert type(instance.compute_log_manager).__name__ == "LocalComputeLogManager"
