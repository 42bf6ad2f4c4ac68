"""`polster workspace`: one workspace.yaml for several projects."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.handmade import Ran, polster, shop, write_project

ASSETS = {"bronze_orders": [], "silver_orders": ["bronze_orders"]}
OTHERS = """\
# The team's own.
load_from:
- python_module: other.definitions
"""


def project(folder: Path, prefix: str = "") -> Path:
    line = f'key-prefix = "{prefix}"\n' if prefix else ""
    settings = f'[project]\nname = "{folder.name}"\n\n[tool.polster]\n{line}'
    files = {**shop(ASSETS), "pyproject.toml": settings, ".dagster/dagster.yaml": "nux: {}\n"}
    return write_project(folder, files).root


def settings(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return dict(found["tool"]["polster"])


def location(name: str, folder: str) -> dict[str, Any]:
    return {
        "python_module": {
            "module_name": "orchestration.definitions",
            "location_name": name,
            "working_directory": folder,
            "executable_path": f"{folder}/.venv/bin/python",
        }
    }


def refused(ran: Ran, said: str) -> None:
    assert ran.code in {1, 2}, ran
    assert ran.err.count("error:") == 1
    assert said in ran.err


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a repository with two projects, in folders of different depth."""
    (tmp_path / ".git").mkdir()
    project(tmp_path / "shop", "shop")
    project(tmp_path / "teams" / "crm")
    return tmp_path


def test_each_is_added_at_the_top_of_the_repository(top: Path) -> None:
    ran = polster(top, "workspace", "add", "shop")
    assert ran.code == 0, ran.err
    ran = polster(top / "teams" / "crm" / "src", "workspace", "add", "../../crm")
    assert ran.code == 0, ran.err
    assert yaml.safe_load((top / "workspace.yaml").read_text("utf-8")) == {
        "load_from": [location("shop", "shop"), location("crm", "teams/crm")]
    }
    assert settings(top / "shop") == {"key-prefix": "shop", "workspace": "../workspace.yaml"}
    assert settings(top / "teams/crm") == {"workspace": "../../workspace.yaml"}
    assert (top / ".dagster/dagster.yaml").read_text("utf-8") == "nux: {}\n"
    assert "*\n!.gitignore" in (top / ".dagster/.gitignore").read_text("utf-8")
    for where in (top, top / "shop"):
        table = polster(where, "workspace", "list").out.splitlines()
        assert [line.split()[:3] for line in table[1:]] == [
            ["shop", "shop", "shop/"],
            ["crm", "teams/crm", "no"],
        ]
    refused(polster(top, "workspace", "add", "shop"), "shop is in workspace.yaml already")


def test_it_goes_away_again(top: Path) -> None:
    before = (top / "shop/pyproject.toml").read_text("utf-8")
    for name in ("shop", "teams/crm"):
        assert polster(top, "workspace", "add", name).code == 0
    assert polster(top, "workspace", "remove", "shop").code == 0
    assert (top / "shop/pyproject.toml").read_text("utf-8") == before
    found = yaml.safe_load((top / "workspace.yaml").read_text("utf-8"))
    assert found == {"load_from": [location("crm", "teams/crm")]}
    assert polster(top, "workspace", "remove", "teams/crm").code == 0
    assert yaml.safe_load((top / "workspace.yaml").read_text("utf-8")) == {"load_from": []}
    refused(polster(top, "workspace", "remove", "shop"), "shop is not in workspace.yaml")
    assert polster(top, "workspace", "add", "shop").code == 0


def test_what_others_wrote_stays(top: Path) -> None:
    (top / "dagster.yaml.d").mkdir()
    file = top / "dagster.yaml.d" / "all.yaml"
    file.write_text(OTHERS, encoding="utf-8")
    assert polster(top, "workspace", "add", "shop", "--file", str(file), "--dry-run").code == 0
    assert file.read_text("utf-8") == OTHERS
    ran = polster(top, "workspace", "add", "shop", "--file", str(file))
    assert ran.code == 0, ran.err
    text = file.read_text("utf-8")
    assert text.startswith(OTHERS)
    assert yaml.safe_load(text)["load_from"] == [
        {"python_module": "other.definitions"},
        location("shop", "../shop"),
    ]
    ran = polster(top, "workspace", "remove", "shop", "--file", str(file))
    assert ran.code == 0, ran.err
    assert file.read_text("utf-8") == OTHERS


def test_p5_keys_that_collide_are_refused_and_a_prefix_helps(top: Path) -> None:
    assert polster(top, "workspace", "add", "teams/crm").code == 0
    project(top / "second")
    ran = polster(top, "workspace", "add", "second")
    refused(ran, "crm and second both have run_bronze_orders and 1 more")
    assert "--key-prefix second" in ran.err
    (top / "second/.dagster/history").mkdir()
    ran = polster(top, "workspace", "add", "second", "--key-prefix", "b")
    assert ran.code == 0, ran.err
    assert "the runs so far stay there, under the keys without it; the data stays" in ran.out
    assert settings(top / "second") == {"workspace": "../workspace.yaml", "key-prefix": "b"}
    project(top / "teams/other/crm", "c")
    refused(polster(top, "workspace", "add", "teams/other/crm"), "has a code location crm already")


def test_what_is_none_is_refused(top: Path) -> None:
    refused(polster(top, "workspace", "add", "teams"), "there is no Polster project in teams")
    refused(polster(top, "workspace", "list"), "there is no workspace.yaml")
    refused(
        polster(top, "workspace", "add", "shop", "--key-prefix", "gold"), "cannot be a key prefix"
    )
    own = polster(top, "workspace", "add", "shop", "--file", "shop/workspace.yaml")
    refused(own, "shop/workspace.yaml is that of the project shop alone")


def test_a_repository_of_a_project_alone_has_the_file_above_it(tmp_path: Path) -> None:
    root = project(tmp_path / "shop")
    (root / ".git").mkdir()
    assert polster(root, "workspace", "add").code == 0
    assert settings(root)["workspace"] == "../workspace.yaml"
    assert (tmp_path / "workspace.yaml").is_file()
