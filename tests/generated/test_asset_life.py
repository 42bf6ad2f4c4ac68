"""The life of assets in a project that runs: added, written, renamed, removed, by commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.generated.warm import Done

PIPELINE = (
    ("bronze", "raw_orders", ""),
    ("bronze", "raw_customers", ""),
    ("silver", "validated_orders", "raw_orders"),
    ("silver", "clean_customers", "raw_customers"),
    ("gold", "customer_ltv", "validated_orders,clean_customers"),
    ("gold", "product_analytics", "validated_orders"),
)
BODIES = {
    "bronze_raw_orders": """\
    return pl.LazyFrame(
        {"order_id": [1, 2, 2, 3], "customer_id": [7, 7, 7, 8], "amount": [5.0, 9.0, 9.0, -1.0]}
    )
""",
    "bronze_raw_customers": """\
    return pl.LazyFrame({"customer_id": [7, 8], "name": [" Ada ", "B"]})
""",
    "silver_validated_orders": '    return raw_orders.unique().filter(pl.col("amount") > 0)\n',
    "silver_clean_customers": """\
    return raw_customers.with_columns(pl.col("name").str.strip_chars())
""",
    "gold_customer_ltv": """\
    joined = clean_customers.join(validated_orders, on="customer_id", how="left")
    return joined.group_by("customer_id", "name").agg(ltv=pl.col("amount").sum())
""",
    "gold_product_analytics": '    return validated_orders.select(total=pl.col("amount").sum())\n',
}
CONTRACTS = {
    "silver_validated_orders": (
        "order_id = dy.Int64(primary_key=True)",
        "amount = dy.Float64(min=0)",
    ),
    "silver_clean_customers": ("customer_id = dy.Int64(primary_key=True)", "name = dy.String()"),
    "gold_customer_ltv": (
        "customer_id = dy.Int64(primary_key=True)",
        "name = dy.String()",
        "ltv = dy.Float64(nullable=True)",
    ),
    "gold_product_analytics": ("total = dy.Float64()",),
}
KEPT = {"silver_validated_orders": ("customer_id = dy.Int64()",)}
COMMENT = "# One line for each column, for example:  order_id = dy.Int64(primary_key=True)"


def polster(shop: Generated, *args: str) -> Done:
    """Run a command in the project, with its environment in `.venv`."""
    return subprocess.run(
        [sys.executable, "-m", "polster_core", *args],
        cwd=shop.root,
        check=False,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        env={name: text for name, text in os.environ.items() if name != "DAGSTER_HOME"},
    )


def done(found: Done) -> Done:
    """Insist that a command went well."""
    assert found.returncode == 0, told(found)
    return found


def link_environment(shop: Generated) -> None:
    """Let `.venv` be the environment that the tests share."""
    (shop.root / ".venv").symlink_to(shop.interpreter.parent.parent)


def history(shop: Generated) -> dict[str, list[dict[str, object]]]:
    """Return what Dagster knows: the metadata of each asset's materializations, newest first."""
    found: dict[str, list[dict[str, object]]] = json.loads(
        done(shop.program("materializations")).stdout
    )
    return found


def is_clean(shop: Generated) -> None:
    """Insist that the project is what its own tools want."""
    done(shop.pytest())
    done(shop.tool("ruff", "check", "--no-cache", "src/core", "src/orchestration/assets", "tests"))
    done(shop.tool("ruff", "format", "--check", "--no-cache", "src/orchestration/assets", "tests"))
    done(shop.python("-m", "mypy"))


def test_a_pipeline_is_built_by_commands_and_written_by_hand(project: MakeProject) -> None:
    shop = project(samples=False)
    for layer, name, dependencies in PIPELINE:
        given = ("--dependencies", dependencies) if dependencies else ()
        done(polster(shop, "add-asset", "--layer", layer, "--name", name, *given))
    is_clean(shop)

    # Their sample code runs as it stands, once the comment marks are gone.
    incoming = shop.root / "incoming"
    incoming.mkdir()
    cores = [f"src/core/{stem}.py" for stem in BODIES]
    for stem in (stem for stem in BODIES if stem.startswith("bronze_")):
        (incoming / f"{stem.removeprefix('bronze_')}.csv").write_text("id,amount\n007,1E5\n")
    ran = done(shop.python(Path(__file__).with_name("run_samples.py"), *cores))
    expected = {"bronze": 1, "silver": 2, "gold": 2}
    assert dict(line.split() for line in ran.stdout.splitlines()) == {
        stem: str(expected[stem.partition("_")[0]]) for stem in BODIES
    }
    shutil.rmtree(incoming)

    # Stubs fail, and say where they are.
    problems = json.loads(polster(shop, "validate", "--format", "json").stdout)["problems"]
    assert {problem["rule"] for problem in problems} == {"stub"}
    assert len(problems) == len(PIPELINE)
    direct = shop.core("bronze_raw_orders")
    line = shop.line_of("bronze_raw_orders", "raise NotImplementedError")
    assert direct.returncode == 1
    assert f"not implemented: edit src/core/bronze_raw_orders.py:{line}" in direct.stderr
    found = shop.json(code=1)
    assert {one["status"] for one in found["assets"]} == {"failed", "skipped"}

    # Written by hand, they run; and then the placeholder tests fail until real ones are there.
    for stem, body in BODIES.items():
        core = shop.root / f"src/core/{stem}.py"
        columns = "\n    ".join((*KEPT.get(stem, ()), *CONTRACTS.get(stem, ())))
        text = core.read_text().replace("    raise NotImplementedError\n", body)
        core.write_text(text.replace(COMMENT, columns))
    assert done(polster(shop, "validate")).stdout == "no problems in 6 assets\n"
    assert shop.json()["success"] is True
    rows = sorted(shop.rows("gold_customer_ltv"), key=lambda row: row["customer_id"])
    assert rows == [
        {"customer_id": 7, "name": "Ada", "ltv": 14.0},
        {"customer_id": 8, "name": "B", "ltv": 0.0},
    ]
    assert shop.rows("gold_product_analytics") == [{"total": 14.0}]
    assert shop.pytest().returncode == 1
    for stem in BODIES:
        (shop.root / f"tests/test_{stem}.py").unlink()
    done(shop.pytest())


def test_a_renamed_asset_keeps_its_data_and_its_history(project: MakeProject) -> None:
    shop = project()
    link_environment(shop)
    done(shop.run())
    done(shop.run())
    files = [path.name for path in shop.files("silver_example")]

    said = done(polster(shop, "rename-asset", "silver", "example", "clean_orders")).stdout
    assert "in Dagster: 2 materializations" in said
    assert [path.name for path in shop.files("silver_clean_orders")] == files
    assert not shop.files("silver_example")

    found = history(shop)
    assert "run_silver_example" not in found
    events = found["run_silver_clean_orders"]
    assert [event["renamed_from"] for event in events] == ["run_silver_example"] * 2
    assert all(event["dagster/row_count"] for event in events)
    checked = done(shop.program("contract_check", "run_silver_clean_orders"))
    assert checked.stdout.startswith("True ")

    assert done(polster(shop, "validate")).stdout == "no problems in 4 assets\n"
    is_clean(shop)
    assert shop.state("silver_clean_orders") == "fresh"
    done(shop.run("--asset", "gold_example"))

    done(polster(shop, "rename-asset", "silver", "clean_orders", "example"))
    assert len(history(shop)["run_silver_example"]) == 2
    done(shop.run())


def test_a_removed_asset_leaves_no_phantom(project: MakeProject) -> None:
    shop = project()
    link_environment(shop)
    done(shop.run())
    said = done(polster(shop, "remove-asset", "gold_example", "--data", "--force")).stdout
    assert "run_gold_example" in said
    assert "in Dagster: 1 asset forgotten" in said
    assert "run_gold_example" not in history(shop)
    assert not (shop.root / "data/gold/example").exists()
    is_clean(shop)
    done(shop.run())
    assert "run_gold_example" not in history(shop)


def test_without_an_environment_the_history_stays_and_that_is_said(project: MakeProject) -> None:
    shop = project()
    done(shop.run())
    found = done(polster(shop, "rename-asset", "gold", "example", "growth"))
    assert found.stderr.splitlines()[-1] == (
        "warning: Dagster's history is left as it is: there is no .venv to change it with"
    )


EXCEL = ("fastexcel", "python-calamine", "xlsxwriter")


@pytest.mark.parametrize(
    ("template", "write"),
    [
        ("csv", "write_csv"),
        ("parquet", "write_parquet"),
        ("json", "write_json"),
        ("ndjson", "write_ndjson"),
        ("excel", "write_excel"),
    ],
)
def test_files_become_rows(project: MakeProject, tmp_path: Path, template: str, write: str) -> None:
    shop = project(samples=False)
    suffix = {"excel": "xlsx"}.get(template, template)
    given = {"ndjson": "json"}.get(template, template)
    environment = {}
    if template == "excel":  # the one that needs packages of its own
        packages = tmp_path / "packages"
        install = ["uv", "pip", "install", "-q", "--python", str(shop.interpreter)]
        subprocess.run([*install, "--target", packages, *EXCEL], check=True)
        environment = {"PYTHONPATH": f"{shop.root / 'src'}{os.pathsep}{packages}"}
    flags = ("--template", given, "--path", f"in/*.{suffix}")
    done(polster(shop, "add-asset", "--layer", "bronze", "--name", "sales", *flags))
    assert shop.core("bronze_sales", env=environment).returncode == 1  # there is no file yet
    make = (
        "import polars as pl, pathlib; pathlib.Path('in').mkdir()\n"
        "for i in (1, 2):\n"
        f"    pl.DataFrame({{'id': [i, 10 * i]}}).{write}(f'in/part{{i}}.{suffix}')\n"
    )
    done(shop.python("-c", make, env=environment))
    done(shop.core("bronze_sales", env=environment))
    kind = str if template == "csv" else int
    assert shop.rows("bronze_sales") == [{"id": kind(number)} for number in (1, 10, 2, 20)]
    if template != "csv":  # they share their parts
        return
    done(shop.pytest(env=environment))
    done(shop.tool("ruff", "check", "--no-cache", "src/core", "tests"))
    done(shop.tool("ruff", "format", "--check", "--no-cache", "src/core/bronze_sales.py", "tests"))
    done(shop.python("-m", "mypy", env=environment))
