"""What plugins add to runs by entry point: providers of secrets, and listeners."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from polster_runtime.config import dotenv_files, entry_points, environment, root, secrets
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import SettingsError
from polster_runtime.execution import events

PYPROJECT = """
[project]
name = "shop"

[project.entry-points."polster_runtime.secrets"]
vault = "our_vault"
lost = "not_installed_anywhere"

[project.entry-points."polster_runtime.listeners"]
loud = "our_listener"
broken = "not_installed_anywhere"

[tool.polster]
"""
VAULT = """
    class Vault:
        asked = []

        def names(self):
            return {"CRM_PASSWORD", "MYSQL_PASSWORD", "OF_OTHERS"}

        def get(self, name):
            self.asked.append(name)
            return f"{name} of the vault"

    def connect():
        return Vault()
"""
LISTENER = """
    from polster_runtime.execution.events import RunListener

    heard = []

    class Loud(RunListener):
        def started(self, asset):
            heard.append(asset)

        def failed(self, asset, seconds):
            raise ValueError("no")

    def listener():
        return Loud()
"""
NAMES = ("CRM_PASSWORD", "MYSQL_PASSWORD", "OF_OTHERS", "SECRETS", "SECRETS_DIR", "API_TOKEN")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Be in a project with a vault and a listener; forget all of it afterwards."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "our_vault.py").write_text(dedent(VAULT))
    (tmp_path / "our_listener.py").write_text(dedent(LISTENER))
    (tmp_path / ".env.example").write_text("CRM_PASSWORD=\n# MYSQL_PASSWORD=\nAPI_TOKEN=\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in NAMES:
        monkeypatch.setenv(name, "")  # restores what fill() sets
        os.environ.pop(name)
    monkeypatch.setattr(root, "project_root", lambda: tmp_path)
    monkeypatch.setattr(secrets, "project_root", lambda: tmp_path)
    monkeypatch.setattr(dotenv_files, "project_root", lambda: tmp_path)
    monkeypatch.setattr(entry_points, "pyproject", lambda: _parsed(tmp_path))
    for forget in (environment._load_dotenv, events._lasting):
        forget.cache_clear()
    yield tmp_path
    for forget in (environment._load_dotenv, events._lasting):
        forget.cache_clear()
    for module in ("our_vault", "our_listener"):
        sys.modules.pop(module, None)


def _parsed(folder: Path) -> dict[str, object]:
    import tomllib

    return tomllib.loads((folder / "pyproject.toml").read_text())


def test_a_provider_fills_what_nobody_set(project: Path) -> None:
    """What the shell and .env have wins; what .env.example does not name is not asked for."""
    (project / ".env").write_text("SECRETS=vault\nMYSQL_PASSWORD=of the file\n")
    given = environment.variables()
    assert given["CRM_PASSWORD"] == "CRM_PASSWORD of the vault"  # noqa: S105 - not one
    assert given["MYSQL_PASSWORD"] == "of the file"  # noqa: S105 - not one
    assert "OF_OTHERS" not in given
    import our_vault  # type: ignore[import-not-found]

    assert our_vault.Vault.asked == ["CRM_PASSWORD"]


def test_files_of_docker(project: Path) -> None:
    folder = project / "secrets"
    folder.mkdir()
    (folder / "crm_password").write_text("schön\n")
    (folder / "API_TOKEN").write_text("x=y\n")
    (project / ".env").write_text(f"SECRETS=files\nSECRETS_DIR={folder}\n")
    given = environment.variables()
    assert (given["CRM_PASSWORD"], given["API_TOKEN"]) == ("schön", "x=y")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("safe", "SECRETS=safe: this project has env, files, lost, vault"),
        ("lost", "SECRETS=lost: the package not_installed_anywhere is not installed"),
        ("files", "SECRETS_DIR=nowhere: there is no such folder"),
    ],
)
def test_a_provider_that_is_not_there(
    chosen: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS", chosen)
    monkeypatch.setenv("SECRETS_DIR", "nowhere")
    with pytest.raises(SettingsError) as raised:
        environment.variables()
    assert str(raised.value) == said


def test_a_listener_of_a_plugin_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """One that cannot be imported is logged once, one that raises as well; the run goes on."""
    asset = AssetId("bronze", "orders")
    for _ in range(2):
        events.tell(lambda listener: listener.started(asset))
    events.tell(lambda listener: listener.failed(asset, 1.0))
    import our_listener  # type: ignore[import-not-found]

    assert our_listener.heard == [asset, asset]
    assert [record.message for record in caplog.records] == ["no listener", "a listener failed"]
