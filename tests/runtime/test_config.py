"""Where a project is, what its variables say, and which parts it has."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest import mock

import polars as pl
import pytest

from polster_runtime.config import dotenv_files, entry_points, environment, paths, root
from polster_runtime.config.polars_engine import polars_engine
from polster_runtime.config.settings import RuntimeSettings, load, settings
from polster_runtime.errors import SettingsError
from polster_runtime.storage.backends import local
from polster_runtime.storage.staging import stage


def without_name(monkeypatch: pytest.MonkeyPatch, running: Path, folder: Path) -> None:
    """Let a file run in a folder, with no PROJECT_ROOT."""
    monkeypatch.delenv("PROJECT_ROOT")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(running), raising=False)


def test_the_project_of_the_running_file_counts_first(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "pyproject.toml").write_text("[tool.polster]\n", encoding="utf-8")
    without_name(monkeypatch, project / "src/core/bronze_a.py", other)
    assert paths.project_root() == project


def test_else_that_of_the_working_directory(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = project / "notebooks" / "old"
    below.mkdir(parents=True)
    without_name(monkeypatch, tmp_path_factory.mktemp("bin") / "python", below)
    assert paths.project_root() == project


def test_a_pyproject_of_something_else_is_passed_by(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = project / "packages" / "lib"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[project]\nname = 'lib'\n", encoding="utf-8")
    without_name(monkeypatch, below / "x.py", below)
    assert paths.project_root() == project


def test_no_project_is_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path_factory.mktemp("nowhere")
    without_name(monkeypatch, nowhere / "x.py", nowhere)
    with (
        mock.patch.object(root, "__file__", str(nowhere / "root.py")),
        pytest.raises(SettingsError, match=r"no Polster project in .*; go into the folder"),
    ):
        paths.project_root()


def test_a_broken_pyproject_is_named(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.polster\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"pyproject\.toml: "):
        paths.pyproject()


def test_folders_are_in_the_project_unless_variables_say_otherwise(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (paths.data_dir(), paths.dagster_home()) == (project / "data", project / ".dagster")
    monkeypatch.setenv("DATA_DIR", "elsewhere")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    assert paths.staging_dir() == project / "elsewhere" / ".staging"
    assert paths.dagster_home() == tmp_path / "history"


def test_the_shell_wins_over_the_file_and_the_file_over_the_default(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENV", "prod")
    (project / ".env").write_text("ENV=staging\nBRONZE_THREADS=4\n", encoding="utf-8")
    found = settings()
    assert (found.env, found.bronze_threads, found.executor) == ("prod", 4, "in_process")


def test_p10_the_file_of_the_environment_wins_over_env(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "HOST=dev\nENV=prod\nPORT=1\nSHELL_SAYS=file\nUSER_OF=ann\nQUOTED='a\nb'\n"
    (project / ".env").write_text(base, encoding="utf-8")
    over = "HOST=prod\nSHELL_SAYS=over\nURL=${USER_OF}@${HOST}:${PORT}\n"
    (project / ".env.prod").write_text(over, encoding="utf-8")
    (project / ".env.dev").write_text("HOST=never\n", encoding="utf-8")
    monkeypatch.setenv("SHELL_SAYS", "shell")
    given = environment.variables()
    assert [given[name] for name in ("HOST", "PORT", "URL", "SHELL_SAYS", "QUOTED")] == [
        *("prod", "1", "ann@prod:1", "shell", "a\nb")
    ]
    assert [file.name for file in dotenv_files.files()] == [".env", ".env.prod"]


@pytest.mark.parametrize("env", ["staging", "example", "../other/.env", ""])
def test_no_other_file_is_read(project: Path, monkeypatch: pytest.MonkeyPatch, env: str) -> None:
    for name in (".env", ".env.example"):
        (project / name).write_text(f"READ={name}\n", encoding="utf-8")
    monkeypatch.setenv("ENV", env)
    assert (environment.variables()["READ"], len(dotenv_files.files())) == (".env", 1)


def test_what_dagster_has_read_of_env_is_no_word_of_the_shell(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("HOST=dev\nPORT=1\n", encoding="utf-8")
    (project / ".env.prod").write_text("HOST=prod\nPORT=2\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["/venv/site-packages/dagster/__main__.py", "api", "grpc"])
    for name, value in {"ENV": "prod", "HOST": "dev", "PORT": "3"}.items():
        monkeypatch.setenv(name, value)
    given = environment.variables()
    assert (given["HOST"], given["PORT"]) == ("prod", "3")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_p10_what_an_editor_of_windows_writes_is_read(project: Path, encoding: str) -> None:
    (project / ".env").write_text("PASSWORD=grün\nUSER_OF=ann\n", encoding=encoding, newline="\r\n")
    given = environment.variables()
    assert (given["PASSWORD"], given["USER_OF"]) == ("grün", "ann")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("A=1\nPASSWORD=grün\n".encode("cp1252"), "line 2 is not UTF-8; save it as UTF-8"),
        ("PASSWORD=secret\n".encode("utf-16-le"), "is not UTF-8; save it as UTF-8"),
        (b"A=1\nPASSWORD='secret\nB=2\n", "line 2 is not NAME=value; a quote that is opened"),
        (b"A=1\n<<<<<<< secret\n", "line 2 is not NAME=value; a quote that is opened"),
    ],
)
def test_p10_what_cannot_be_read_as_a_whole_is_one_sentence_without_secrets(
    project: Path, data: bytes, message: str
) -> None:
    (project / ".env").write_bytes(data)
    with pytest.raises(SettingsError) as refused:
        environment.variables()
    assert str(refused.value).startswith(f".env: {message}")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"MAX_REJECTED": "1.5"}, "MAX_REJECTED must be from 0 to 1, not 1.5"),
        ({"MAX_REJECTED": "nan"}, "MAX_REJECTED must be from 0 to 1, not nan"),
        ({"MAX_REJECTED": "five"}, "MAX_REJECTED must be a number, not 'five'"),
        (
            {"POLARS_ENGINE": "fast"},
            "POLARS_ENGINE must be one of auto, in-memory, streaming, gpu, distributed, not 'fast'",
        ),
        ({"SENSOR_SECONDS": "0"}, "SENSOR_SECONDS must be 1 or more, not 0"),
        ({"SENSOR_SECONDS": "1.5"}, "SENSOR_SECONDS must be a whole number, not '1.5'"),
        ({"MAX_AGE_HOURS_GOLD": "inf"}, "MAX_AGE_HOURS_GOLD must be 0.02 or more, not inf"),
        (
            {"AUTOMATION_ENABLED": "perhaps"},
            "AUTOMATION_ENABLED must be true or false, not 'perhaps'",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str], message: str
) -> None:
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(SettingsError) as refused:
        settings()
    assert str(refused.value) == message


def test_a_layer_may_have_its_own_age() -> None:
    found = RuntimeSettings(max_age_hours=36, max_age_hours_gold=1)
    assert [found.max_age_hours_of(layer) for layer in ("silver", "gold")] == [36, 1]


@dataclass(frozen=True, kw_only=True)
class Crm:
    """The variables of a source."""

    host: str
    user: str
    mode: Literal["Read", "Write"] = "Read"


def test_all_that_lacks_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"^CRM_HOST and CRM_USER are not set; put what is"):
        load(Crm, prefix="CRM")
    monkeypatch.setenv("CRM_HOST", "crm.example.com")
    with pytest.raises(SettingsError, match=r"^CRM_USER is not set"):
        load(Crm, prefix="CRM")
    monkeypatch.setenv("CRM_USER", " ann ")
    monkeypatch.setenv("CRM_MODE", "WRITE")
    assert load(Crm, prefix="CRM") == Crm(host="crm.example.com", user="ann", mode="Write")


def test_a_part_that_the_project_lists_is_found() -> None:
    assert entry_points.named(entry_points.STORAGE)["local"] == local.__name__
    assert entry_points.find(entry_points.STORAGE, "local") is local
    assert entry_points.find(entry_points.STORAGE, "s3") is None


def test_a_part_whose_package_is_missing_says_which(project: Path) -> None:
    table = f'[project.entry-points."{entry_points.SOURCES}"]\ncrm = "crm_of_nobody.source"\n'
    (project / "pyproject.toml").write_text(table, encoding="utf-8")
    with pytest.raises(ModuleNotFoundError) as missing:
        entry_points.find(entry_points.SOURCES, "crm")
    assert missing.value.name == "crm_of_nobody"


@pytest.mark.parametrize("name", ["gpu", "distributed"])
def test_an_engine_of_polars_that_cannot_be_had_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("POLARS_ENGINE", name)
    with pytest.raises(SettingsError, match=rf"^POLARS_ENGINE={name}: .*; "):
        polars_engine()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("", "streaming"), ("auto", "streaming"), ("In-Memory", "in-memory")],
)
def test_a_snapshot_is_written_with_the_engine_that_is_set(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.setenv("POLARS_ENGINE", name)
    with mock.patch.object(pl, "collect_all", wraps=pl.collect_all) as collect_all:
        file = stage(pl.LazyFrame({"a": [1, 2]}).with_columns(b=pl.col("a") * 2), dict)
    assert file.is_relative_to(project)
    assert collect_all.call_args.kwargs == {"engine": expected}
    assert pl.read_parquet(file).rows() == [(1, 2), (2, 4)]
