"""Data on real file systems: one that loses its power behind a green run, one without links."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import disks
from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told

pytestmark = pytest.mark.slow

LAYERS = ("bronze", "silver", "gold")


@pytest.fixture
def shop(project: MakeProject) -> Generated:
    """Return the samples, which reject rows, and an asset that reads what is new."""
    shop = project()
    shop.place("bronze_numbers", "incremental")
    return shop


def on(disk: Path) -> dict[str, str]:
    """Return the variables of a project that keeps everything on a disk."""
    return {"DATA_DIR": str(disk / "data"), "DAGSTER_HOME": str(disk / "dagster")}


def published(disk: Path) -> Mapping[str, str]:
    """Return the files of data on a disk, each with the digest of its content."""
    return {
        path.relative_to(disk).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for layer in LAYERS
        for path in sorted((disk / "data" / layer).rglob("*.parquet"))
    }


def run(shop: Generated, disk: Path, rows: int) -> list[str]:
    """Run everything on a disk; return the snapshots that the run has reported."""
    shop.write({"rows.json": json.dumps(list(range(1, rows + 1)))})
    assets = shop.json(env=on(disk))["assets"]
    assert {one["status"] for one in assets} == {"succeeded"}
    return [Path(shop.root, one["path"]).relative_to(disk).as_posix() for one in assets]


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_s6_after_a_power_cut_every_snapshot_that_was_reported_is_whole(
    shop: Generated, tmp_path: Path, kind: str
) -> None:
    image, copies = disks.new(tmp_path / "disk", kind), tmp_path / "copies"
    copies.mkdir()
    with disks.mounted(image, tmp_path / "mounted") as disk:
        expected = []
        for number in (1, 2):
            reported = run(shop, disk, 10 * number)
            (disk / f"not-synced-{number}").write_text("x" * 1000, encoding="utf-8")
            disks.power_cut(image, copies / str(number))
            expected.append((reported, published(disk)))
    for number, (reported, files) in enumerate(expected, 1):
        with disks.mounted(copies / str(number), tmp_path / "mounted") as disk:
            there = published(disk)
            assert {path: there.get(path) for path in reported} == {
                path: files[path] for path in reported
            }
            assert there == files, "rejected rows and older snapshots as well"
            lost = disk / f"not-synced-{number}"
            assert not lost.exists() or not lost.read_bytes(), "the disk had more than was synced"
            status = shop.json("--status", env=on(disk))["assets"]
            assert not {one["status"] for one in status} & {"damaged", "missing", "never"}
            assert len(run(shop, disk, 10 * number + 5)) == 5


def test_s6_increments_on_a_disk_without_hard_links(shop: Generated, tmp_path: Path) -> None:
    image = disks.new(tmp_path / "disk", "exfat")
    with disks.mounted(image, tmp_path / "mounted") as disk:
        (disk / "a").touch()
        with pytest.raises(PermissionError):
            os.link(disk / "a", disk / "b")
        env = {"DATA_DIR": str(disk / "data")}
        for rows in (10, 20, 30):
            shop.write({"rows.json": json.dumps(list(range(1, rows + 1)))})
            done = shop.run(env=env)
            assert done.returncode == 0, told(done)
        read = shop.program("read_rows", "bronze_numbers", env=env)
        assert [row["id"] for row in json.loads(read.stdout)] == list(range(1, 31))
        assert len(list((disk / "data/bronze/numbers").glob("*.parquet"))) == 3
        doctor = shop.python("-m", "polster_runtime", "doctor", env=env)
        assert "ok       storage: write: a file" in doctor.stdout, told(doctor)
        assert doctor.returncode == 0, told(doctor)


def test_s6_a_layer_on_another_disk(shop: Generated, tmp_path: Path) -> None:
    image = disks.new(tmp_path / "disk", "ext4")
    with disks.mounted(image, tmp_path / "mounted") as disk:
        shutil.rmtree(shop.root / "data" / "bronze")
        (shop.root / "data" / "bronze").symlink_to(disk)
        for rows in (10, 20):
            shop.write({"rows.json": json.dumps(list(range(1, rows + 1)))})
            done = shop.run()
            assert done.returncode == 0, told(done)
        assert [row["id"] for row in shop.rows("bronze_numbers")] == list(range(1, 21))
        assert len(list((disk / "numbers").glob("*.parquet"))) == 2
        assert shop.staged() == []
