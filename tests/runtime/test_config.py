"""Where a project is, what its variables say, and which parts it has."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest import mock

import pytest

from polster_runtime.config import entry_points, paths, root
from polster_runtime.config.settings import RuntimeSettings, load, settings
from polster_runtime.errors import SettingsError
from polster_runtime.storage.backends import local


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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"MAX_REJECTED": "1.5"}, "MAX_REJECTED must be from 0 to 1, not 1.5"),
        ({"MAX_REJECTED": "nan"}, "MAX_REJECTED must be from 0 to 1, not nan"),
        ({"MAX_REJECTED": "five"}, "MAX_REJECTED must be a number, not 'five'"),
        ({"SENSOR_SECONDS": "0"}, "SENSOR_SECONDS must be 1 or more, not 0"),
        ({"SENSOR_SECONDS": "1.5"}, "SENSOR_SECONDS must be a whole number, not '1.5'"),
        ({"MAX_AGE_HOURS_GOLD": "inf"}, "MAX_AGE_HOURS_GOLD must be 0.02 or more, not inf"),
        (
            {"AUTOMATION_ENABLED": "perhaps"},
            "AUTOMATION_ENABLED must be true or false, not 'perhaps'",
        ),
        (
            {"EXECUTOR": "cloud"},
            "EXECUTOR must be one of threads, multiprocess, in_process, not 'cloud'",
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
