"""The code location of workspace.yaml, which makes a run of the terminal one of the UI's own."""

from __future__ import annotations

import logging
from pathlib import Path

import dagster as dg
import pytest

from polster_runtime.dagster import launch, private
from polster_runtime.dagster.launch import job_origin

OURS = """
  - python_module: {module_name: orchestration.definitions, location_name: shop}
"""
BY_FILE = """
  - python_file: {relative_path: src/orchestration/definitions.py, location_name: shop}
"""
FOREIGN = """
  - python_module: {module_name: other.definitions, location_name: other}
"""
SERVER = """
  - grpc_server: {host: localhost, port: 4266, location_name: server}
"""


def label(project: Path, *locations: str) -> str | None:
    """Return how the UI calls the repository of a run, with such a workspace.yaml."""
    text = "load_from:" + "".join(locations)
    (project / "workspace.yaml").write_text(text, encoding="utf-8")
    origin = job_origin("all_assets")
    return None if origin is None else str(origin.repository_origin.get_label())


@pytest.mark.parametrize("own", [OURS, BY_FILE])
def test_the_location_that_loads_the_project(project: Path, own: str) -> None:
    assert label(project, own) == "__repository__@shop"
    assert label(project, FOREIGN, SERVER, own) == "__repository__@shop"


@pytest.mark.parametrize(("one", "name"), [(FOREIGN, "other"), (SERVER, "server")])
def test_the_only_location(project: Path, one: str, name: str) -> None:
    assert label(project, one) == f"__repository__@{name}"


def test_none_of_several(project: Path) -> None:
    assert label(project, FOREIGN, SERVER) is None


@pytest.mark.parametrize("text", ["load_from: [", "load_from: 7", "", "- 1"])
def test_a_file_that_is_wrong_is_told(
    project: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (project / "workspace.yaml").write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert job_origin("all_assets") is None
    assert "workspace.yaml: " in caplog.text
    assert "\n" not in caplog.messages[0]


def test_no_file() -> None:
    assert job_origin("all_assets") is None


@pytest.mark.parametrize("name", ["RemoteRepositoryOrigin", "location_origins_from_yaml_paths"])
def test_a_dagster_without_origins(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    find = private.find
    monkeypatch.setattr(private, "find", lambda path: None if path.endswith(name) else find(path))
    assert label(project, OURS) is None


def test_the_repository_has_dagsters_name_for_it() -> None:
    repository = dg.Definitions().get_repository_def()
    assert repository.name == launch.REPOSITORY
