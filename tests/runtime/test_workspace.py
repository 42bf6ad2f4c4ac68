"""Several projects in one Dagster: which file it loads, where its history is, whose settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml

from polster_runtime.config import environment, paths, root
from polster_runtime.dagster import daemon, instance
from polster_runtime.dagster.launch import job_origin
from polster_runtime.dagster.workspace import roots, workspace_file
from polster_runtime.errors import HistoryError
from tests.runtime.test_key_prefix import set_prefix

TEXT = """\
load_from:
  - python_module:
      module_name: orchestration.definitions
      location_name: crm
      working_directory: crm
      executable_path: crm/.venv/bin/python
  - python_module:
      module_name: orchestration.definitions
      location_name: shop
      working_directory: shop
      executable_path: shop/.venv/bin/python
"""


@pytest.fixture(autouse=True)
def top(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of two projects; `shop` is the one that runs."""
    shop = project / "shop"
    for name in ("shop", "crm"):
        (project / name / "src").mkdir(parents=True)
        text = f'[project]\nname = "{name}"\n[tool.polster]\nworkspace = "../workspace.yaml"\n'
        (project / name / "pyproject.toml").write_text(text, encoding="utf-8")
    (project / "workspace.yaml").write_text(TEXT, encoding="utf-8")
    monkeypatch.setenv("PROJECT_ROOT", str(shop))
    return project


def test_dagster_gets_whole_paths(top: Path) -> None:
    file = workspace_file()
    assert file == top / ".dagster" / "workspace.yaml"
    shop = yaml.safe_load(file.read_text("utf-8"))["load_from"][1]["python_module"]
    assert shop["working_directory"] == str(top / "shop")
    assert shop["executable_path"] == str(top / "shop/.venv/bin/python")
    assert roots() == [top / "shop", top / "crm"]


def test_a_run_of_the_terminal_is_of_its_own_code_location(top: Path) -> None:
    origin = job_origin("all_assets")
    assert origin is not None
    assert origin.repository_origin.get_label() == "__repository__@shop"
    assert paths.dagster_home() == top / ".dagster"


def test_without_the_file_a_project_stands_alone(top: Path) -> None:
    (top / "workspace.yaml").unlink()
    assert paths.dagster_home() == top / "shop" / ".dagster"
    assert workspace_file() == top / "shop" / "workspace.yaml"


def test_the_daemon_sees_what_changes_in_the_others(top: Path) -> None:
    before = daemon.project_files()
    (top / "crm/src/new.py").touch()
    assert daemon.project_files() != before


def test_settings_of_another_project_are_not_those_of_this_one(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code server inherits the environment of a UI that another project has started."""
    (top / "crm/.env").write_text("DATA_DIR=/of/crm\nONLY_THERE=1\n", encoding="utf-8")
    (top / "shop/.env").write_text("OWN=1\n", encoding="utf-8")
    monkeypatch.setenv("PROJECT_ROOT", str(top / "crm"))
    monkeypatch.setenv("TYPED", "1")
    assert environment.variables()["DATA_DIR"] == "/of/crm"
    environment._load_dotenv.cache_clear()  # a process that it has started
    assert environment.variables()["DATA_DIR"] == "/of/crm"
    monkeypatch.setenv("PROJECT_ROOT", str(top / "shop"))
    environment._load_dotenv.cache_clear()
    found = environment.variables()
    assert "DATA_DIR" not in found
    assert "ONLY_THERE" not in found
    assert (found["OWN"], found["TYPED"]) == ("1", "1")


@pytest.mark.parametrize("option", ["-d", "--working-directory"])
def test_a_code_server_serves_the_project_that_it_was_started_in(
    top: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["/x/dagster/__main__.py", "api", "grpc", option, str(top / "crm")]
    monkeypatch.setattr(sys, "argv", command)
    assert root.project_root() == top / "crm"
    assert os.environ["PROJECT_ROOT"] == str(top / "crm")


def test_p5_one_history_for_projects_with_different_prefixes(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(name: str) -> None:
        monkeypatch.setenv("PROJECT_ROOT", str(top / name))
        root.key_prefix.cache_clear()
        with instance.opened():
            pass

    opened("shop")
    with pytest.raises(HistoryError, match="give this project a key-prefix in"):
        opened("crm")
    set_prefix(top / "crm", 'key-prefix = "crm"')
    opened("crm")
    opened("shop")
