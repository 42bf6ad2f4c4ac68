"""Retention, copying from one store to another, adding a backend, and the doctor."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from polster_core.project import manifest
from tests import machine
from tests.generated import guides
from tests.generated.projects import Generated, copy, told
from tests.generated.warm import Done
from tests.services import free_port
from tests.storage.azurite import Azurite, endpoint, sas
from tests.storage.test_project import counts

HERE = {"STORAGE_BACKEND": "local"}


@pytest.fixture
def polstered(shop: Generated) -> Generated:
    """Return a project with an environment, so that `polster` can work in it."""
    guides.stand_in(shop.root / ".venv/bin", shop)
    return shop


def polster(shop: Generated, *args: str, env: dict[str, str] | None = None) -> Done:
    return machine.polster(*args, cwd=shop.root, env={**HERE, **(env or {})})


def aged(shop: Generated, *days: float) -> list[Path]:
    """Return snapshots of bronze_example of so many days ago, the oldest first."""
    assert shop.core("bronze_example", env=HERE).returncode == 0
    (newest,) = shop.files("bronze_example")
    made = []
    for ago in sorted(days, reverse=True):
        when = datetime.now(UTC) - timedelta(days=ago)
        made.append(newest.with_name(f"{when:%Y%m%dT%H%M%S%fZ}-abc123.parquet"))
        made[-1].write_bytes(newest.read_bytes())
    newest.unlink()
    return made


def test_what_is_pruned_is_what_the_dry_run_shows(polstered: Generated) -> None:
    """Which snapshots these are is a matter of tests/runtime."""
    *gone, day_before, newest = aged(polstered, 80, 60, 40, 10, 0.1)
    env = {"SNAPSHOT_RETENTION": "1"}
    shown = polster(polstered, "storage", "prune", "--dry-run", "--json", env=env)
    assert shown.returncode == 0, told(shown)
    document = json.loads(shown.stdout)
    assert document["deleted"] is False
    assert [one["path"] for one in document["snapshots"]] == [str(path) for path in gone]
    assert len(polstered.files("bronze_example")) == 5
    done = polster(polstered, "storage", "prune", env=env)
    assert done.stdout.endswith("3 snapshots deleted\n"), told(done)
    assert polstered.files("bronze_example") == [day_before, newest]


def test_a_run_forgets_what_is_old(shop: Generated) -> None:
    aged(shop, 80, 60, 40)
    assert shop.core("bronze_example", env={**HERE, "SNAPSHOT_RETENTION": "1"}).returncode == 0
    assert len(shop.files("bronze_example")) == 2  # the one of 40 days ago was the newest just now


def test_a_retention_that_means_nothing_deletes_nothing(polstered: Generated) -> None:
    aged(polstered, 80, 60)
    for retention in ("0", "30,x"):
        done = polster(polstered, "storage", "prune", env={"SNAPSHOT_RETENTION": retention})
        assert done.returncode == 1
        assert done.stderr == (
            "error: SNAPSHOT_RETENTION must be a number of snapshots such as 30, of days such as "
            f"90d, or both: 30,90d; not {retention!r}\n"
        )
    assert len(polstered.files("bronze_example")) == 2


def test_data_moves_to_another_backend_once(polstered: Generated, azurite: Azurite) -> None:
    shop, env = polstered, azurite.variables(azurite.create("copied"))
    for _ in range(2):
        assert shop.run(env=HERE).returncode == 0
    args = ("storage", "copy", "--from", "local", "--to", "adls")
    shown = polster(shop, *args, "--dry-run", env=env)
    assert shown.stdout == "10 files would be copied (--dry-run)\n", told(shown)
    done = polster(shop, *args, env=env)
    assert done.stdout == "10 files copied and verified, 0 were there already\n", told(done)
    for asset in ("bronze_customers", "bronze_example", "silver_example", "gold_example"):
        assert counts(shop, env, asset) == counts(shop, HERE, asset)

    assert shop.core("bronze_customers", env=HERE).returncode == 0  # as after an interruption
    again = polster(shop, *args, "--json", env=env)
    assert json.loads(again.stdout) == {"dry_run": False, "copied": 1, "files": 11}
    shop.files("bronze_example")[0].write_bytes(b"another")
    differs = polster(shop, *args, env=env)
    assert differs.returncode == 1
    assert "is there already, and differs from" in differs.stderr


def test_a_local_project_gets_another_backend(
    tmp_path: Path, templates: dict[bool, Path], python: Path, azurite: Azurite
) -> None:
    shop = Generated(copy(templates[True], tmp_path / "shop"), python)
    env = azurite.variables(azurite.create("added"))
    refused = shop.core("bronze_example", env=env)
    before = sorted(shop.root.rglob("*"))
    assert "this project has local; add another with  polster storage add adls" in refused.stderr
    shown = polster(shop, "storage", "add", "adls", "--dry-run")
    assert shown.returncode == 0, told(shown)
    assert sorted(shop.root.rglob("*")) == before
    done = polster(shop, "storage", "add", "adls")
    assert done.returncode == 0, told(done)
    assert shop.core("bronze_example", env=env).returncode == 0
    assert counts(shop, env) == [1212]
    assert "adlfs" in (shop.root / "pyproject.toml").read_text("utf-8")
    assert "ADLS_ACCOUNT_KEY=" in (shop.root / ".env.example").read_text("utf-8")
    assert ".polster" not in done.stdout
    noted = manifest.load(shop.root)
    assert noted.files[PurePosixPath("docs/azure.md")].origin == "storage-adls"
    assert "storage-adls" in noted.plugins


def checks(shop: Generated, env: dict[str, str], code: int) -> dict[str, Any]:
    done = polster(shop, "doctor", "--json", env=env)
    assert done.returncode == code, told(done)
    document = json.loads(done.stdout)
    assert document["ok"] is (code == 0)
    return {one["name"]: one for one in document["checks"]}


STEPS = (
    *("settings", "name resolves", "connects", "authenticates", "container"),
    *("connect", "list", "write", "read", "delete"),
)


def test_the_doctor_names_the_first_step_that_fails(polstered: Generated, azurite: Azurite) -> None:
    container = azurite.create("doctor")
    usual = azurite.variables(container)
    readonly = azurite.variables(container, ADLS_SAS_TOKEN=sas(container, "rl"))
    for env, failing, hint in (
        (usual, None, ""),
        (usual | {"ADLS_CONTAINER": "Raw"}, "settings", ""),
        (
            usual | {"ADLS_ENDPOINT": "http://mylake.invalid/x"},
            "name resolves",
            "ADLS_ACCOUNT_NAME",
        ),
        (usual | {"ADLS_ENDPOINT": endpoint(free_port())}, "connects", "firewall"),
        (usual | {"ADLS_ACCOUNT_KEY": "AAAA"}, "authenticates", "ADLS_ACCOUNT_KEY"),
        (usual | {"ADLS_CONTAINER": "nothere"}, "container", "az storage container create"),
        (readonly, "write", "racwdl"),
    ):
        found = checks(polstered, env, 1 if failing else 0)
        status = {step: found[f"storage: {step}"]["status"] for step in STEPS}
        first = STEPS.index(failing) if failing else len(STEPS)
        assert list(status.values()) == [
            "ok" if at < first else "error" if at == first else "skipped"
            for at in range(len(STEPS))
        ], status
        if failing:
            assert hint in found[f"storage: {failing}"]["hint"]


def test_the_doctor_knows_what_nothing_reads(polstered: Generated) -> None:
    with (polstered.root / ".env").open("a", encoding="utf-8") as file:
        file.write("MAX_REJECTD=0.1\n")
    done = polster(polstered, "doctor")
    assert done.returncode == 0, told(done)
    assert "nothing reads MAX_REJECTD\n         did you mean MAX_REJECTED?\n" in done.stdout
    assert "ok       python: 3." in done.stdout
    assert "daemon: it does not run" in done.stdout
    assert "ok       storage: delete" in done.stdout


def test_the_doctor_without_an_environment(shop: Generated) -> None:
    done = polster(shop, "doctor")
    assert done.returncode == 1
    assert "error    environment: there is no .venv\n         make one with  polster setup\n" in (
        done.stdout
    )


def test_the_doctor_without_a_project(tmp_path: Path) -> None:
    done = machine.polster("doctor", cwd=tmp_path)
    assert done.returncode == 0, told(done)
    assert "skipped  project: " in done.stdout
