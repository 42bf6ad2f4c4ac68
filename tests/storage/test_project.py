"""The sample project in the data lake, as anybody would run it, and what it leaves there."""

from __future__ import annotations

import filecmp
import json
import shutil
import time
from pathlib import Path

import pytest

from tests.generated.projects import Generated, copy, told
from tests.handmade import polster
from tests.services import free_port
from tests.storage.azurite import KEY, Azurite, endpoint, sas
from tests.storage.proxies import proxy

CORE = "import polars as pl\nfrom pathlib import Path\nfrom polster_runtime import run\n"
SALES = {
    "bronze_sales": """
def extract(partition: str) -> pl.DataFrame:
    if partition == "us/ca":
        Path("ca").read_text()
    return pl.DataFrame({"shop": [partition], "n": [1]})
""",
    "silver_sales": "def transform(sales: pl.LazyFrame) -> pl.LazyFrame:\n    return sales\n",
    "gold_total": "def aggregate(sales: pl.LazyFrame) -> pl.LazyFrame:\n    return sales\n",
}


def counts(shop: Generated, env: dict[str, str], asset: str = "bronze_example") -> list[int]:
    """Return the rows of each snapshot in the store."""
    done = shop.program("snapshot_rows", asset, env=env)
    assert done.returncode == 0, told(done)
    return [rows for _, rows in json.loads(done.stdout)]


@pytest.mark.parametrize("how", ["key", "sas", "connection-string"])
def test_the_sample_project_runs(shop: Generated, azurite: Azurite, how: str) -> None:
    container = azurite.create(f"sample-{how}")
    env = {
        "key": lambda: azurite.variables(container),
        "sas": lambda: azurite.variables(container, ADLS_SAS_TOKEN=f"?{sas(container)}"),
        "connection-string": lambda: (
            azurite.variables(container, ADLS_CONNECTION_STRING=azurite.connection_string())
            | {"ADLS_ACCOUNT_NAME": "", "ADLS_ENDPOINT": ""}
        ),
    }[how]()
    outcome = shop.json(env=env)
    assert [asset["status"] for asset in outcome["assets"]] == ["succeeded"] * 4
    assert all(asset["path"].startswith(f"{container}/shop/data/") for asset in outcome["assets"])
    done = shop.core("gold_example", env=env)
    assert done.returncode == 0, told(done)
    assert f"{container}/shop/data/gold/example/" in done.stdout
    assert not list((shop.root / "data").glob("*/example/*"))
    assert KEY not in done.stdout + done.stderr + json.dumps(outcome)


def test_it_says_what_the_local_project_says(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables(azurite.create("same"))
    there = shop.json(env=env)["assets"]
    here = shop.json(env={"STORAGE_BACKEND": "local"})["assets"]
    for one, other in zip(there, here, strict=True):
        assert (one["rows"], one["rejected"]) == (other["rows"], other["rejected"])


def test_the_code_is_that_of_the_local_project(template: Path, templates: dict[bool, Path]) -> None:
    """A project with --storage adls has more files, and the same ones."""
    src = Path("src")
    here = {path.relative_to(templates[True]) for path in (templates[True] / src).rglob("*.py")}
    there = {path.relative_to(template) for path in (template / src).rglob("*.py")}
    assert here <= there
    assert {path.parent.name for path in there - here} == {"adls", "key_vault"}
    _, differ, missing = filecmp.cmpfiles(templates[True], template, map(str, here), shallow=False)
    assert (differ, missing) == ([], [])


@pytest.mark.parametrize(
    ("changed", "rows"),
    [
        ({}, 50),
        ({"DUAL_WRITE_SAMPLE_SIZE": "7"}, 7),
        ({"DUAL_WRITE_SAMPLE_SIZE": "0"}, None),
        ({"DISABLE_LOCAL_SAMPLE": "true"}, None),
    ],
)
def test_a_sample_is_kept_here(
    shop: Generated, azurite: Azurite, changed: dict[str, str], rows: int | None
) -> None:
    name = "-".join(changed).lower().replace("_", "-") or "usual"
    env = azurite.variables(azurite.create(f"{name}-{rows or 0}")) | changed
    done = shop.core("bronze_example", env=env)
    assert done.returncode == 0, told(done)
    samples = sorted((shop.root / "data" / "samples").rglob("*.*"))
    assert [path.name for path in samples] == (["example.parquet"] if rows else [])
    if rows:
        count = f"import polars as pl; print(pl.read_parquet({str(samples[0])!r}).height)"
        assert shop.python("-c", count).stdout.strip() == str(rows)
    assert counts(shop, {"STORAGE_BACKEND": "local"}) == []


def test_without_the_cloud_a_run_goes_on_and_comes_up_later_once(
    shop: Generated, azurite: Azurite
) -> None:
    env = azurite.variables(azurite.create("fallback"))
    away = env | {"ADLS_ENDPOINT": endpoint(free_port()), "ADLS_FALLBACK_TO_LOCAL": "true"}
    assert shop.core("bronze_example", env=env).returncode == 0
    assert counts(shop, env) == [1212]

    # What is in the cloud is not taken from anywhere else; what this run wrote is read again.
    stale = shop.core("silver_example", env=away)
    assert stale.returncode == 1
    assert "its data is in the cloud, which cannot be reached" in stale.stderr

    done = shop.run("--json", env=away)
    assert done.returncode == 0, told(done)
    assert "the cloud cannot be reached: this run goes on here" in done.stderr
    outcome = json.loads(done.stdout)
    assert all("data/.pending/" in asset["path"] for asset in outcome["assets"])
    status = shop.run("--status", env=away)
    assert "bronze_example: 1 file waits in data/.pending for the cloud" in status.stdout
    waiting = {one["key"]: one["waiting"] for one in shop.json("--status", env=away)["assets"]}
    assert waiting["run_gold_example"] == 1

    assert counts(shop, env) == [1212, 1212]
    assert counts(shop, env) == [1212, 1212]
    assert counts(shop, env, "gold_example") == [3]
    assert not list((shop.root / "data" / ".pending").rglob("*.parquet"))
    assert "waits" not in shop.run("--status", env=env).stdout


def test_a_crash_while_carrying_up_repeats_nothing(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables(azurite.create("crash"))
    away = env | {"ADLS_ENDPOINT": endpoint(free_port()), "ADLS_FALLBACK_TO_LOCAL": "true"}
    for _ in range(2):
        assert shop.core("bronze_example", env=away).returncode == 0
    pending = shop.root / "data" / ".pending"
    assert len(list(pending.rglob("*.parquet"))) == 2
    assert shop.program("die_while_uploading", env=env).returncode == 9
    assert len(list(pending.rglob("*.parquet"))) == 2  # one of them is in the cloud already
    assert counts(shop, env) == [1212, 1212]
    assert not list(pending.rglob("*.parquet"))


def test_a_cloud_that_goes_away_before_the_end(shop: Generated, azurite: Azurite) -> None:
    """The rows that were computed are kept; without the setting the run fails, and says so."""
    shop.place("bronze_slow", "computing")
    here = azurite.variables(azurite.create("goes"))
    for falls_back in ("true", "false"):
        with proxy(azurite.port) as between:
            env = here | {
                "ADLS_ENDPOINT": endpoint(between.port),
                "ADLS_FALLBACK_TO_LOCAL": falls_back,
            }
            process = shop.start("src/core/bronze_slow.py", env=env)
            flag = shop.root / "computing"
            while not flag.exists():
                assert process.poll() is None
                time.sleep(0.05)
            between.refusing = True
            flag.unlink()
            out, _ = process.communicate(timeout=600)
        assert process.returncode == (0 if falls_back == "true" else 1), out
        assert ("data/.pending/bronze/slow/" in out) == (falls_back == "true"), out
        assert "cannot be reached" in out, out
    assert counts(shop, here, "bronze_slow") == [1212]


def test_two_projects_share_a_container(
    shop: Generated, azurite: Azurite, tmp_path: Path, template: Path
) -> None:
    """Another machine reads what this one wrote, unless its base path says otherwise."""
    env = azurite.variables(azurite.create("shared"))
    other = Generated(copy(template, tmp_path / "other"), shop.interpreter)
    assert shop.core("bronze_example", env=env).returncode == 0
    assert counts(other, env) == [1212]
    assert counts(other, env | {"ADLS_BASE_PATH": "/elsewhere/"}) == []


def test_partitions_are_filled_repaired_and_counted(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables(azurite.create("partitions"))
    for layer, *options in (
        ("bronze", "--name", "sales", "--partition", "eu,us/ca,us/ny"),
        ("silver", "--name", "sales", "--partition", "eu,us/ca,us/ny"),
        ("gold", "--name", "total", "--dependencies", "sales"),
    ):
        added = polster(shop.root, "add-asset", "--layer", layer, *options)
        assert added.code == 0, added.err
    shop.write({f"src/core/{stem}.py": CORE + code for stem, code in SALES.items()})
    wanted = ("--asset", "bronze_sales", "--asset", "silver_sales", "--asset", "gold_total")
    first = shop.json(*wanted, "--partition", "..", env=env, code=1)["assets"]
    assert [one["status"] for one in first] == ["failed", "skipped", "skipped"]
    assert "1 of 3 partitions failed, the others are done: us/ca: " in first[0]["error"]
    shop.write({"ca": ""})
    repaired = shop.json(*wanted, "--missing", env=env)["assets"]
    found = {one["layer"]: (one["status"], one["rows"], one.get("partitions")) for one in repaired}
    assert found == {
        "bronze": ("succeeded", 1, 1),
        "silver": ("succeeded", 3, 3),
        "gold": ("succeeded", 3, None),
    }
    parts = {"done": 3, "all": 3, "latest": "us/ny"}
    for one in shop.json("--status", env=env)["assets"]:
        if one["key"].endswith("_sales"):
            assert (one["status"], one["rows"], one["partitions"]) == ("fresh", 3, parts)
    assert not (shop.root / "data/silver/sales").exists()


def test_r5_the_status_looks_at_the_data_in_the_cloud(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables(azurite.create("status"))
    assert shop.run(env=env).returncode == 0

    def told_of() -> dict[str, tuple[str, int | None]]:
        found = shop.json("--status", env=env)["assets"]
        return {one["key"]: (one["status"], one["rows"]) for one in found}

    whole = told_of()
    assert whole["run_bronze_example"] == ("fresh", 1212)
    assert shop.program("change_snapshot", "delete", "silver_example", env=env).returncode == 0
    assert shop.program("change_snapshot", "cut", "gold_example", env=env).returncode == 0
    assert told_of() == whole | {
        "run_silver_example": ("missing", None),
        "run_gold_example": ("damaged", None),
    }
    for folder in filter(Path.is_dir, [*(shop.root / ".dagster").iterdir()]):
        shutil.rmtree(folder)
    without = told_of()
    assert without["run_bronze_example"] == ("fresh", 1212)
    assert without["run_silver_example"] == ("never", None)
    away = env | {"ADLS_ENDPOINT": endpoint(free_port())}
    lost = shop.run("--status", env=away)
    assert (lost.returncode, "this is Dagster's history alone" in lost.stderr) == (0, True)
