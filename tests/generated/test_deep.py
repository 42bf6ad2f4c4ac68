"""`polster validate --deep`: what only the project's own code can tell, at its line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.generated.conftest import MakeProject, maker
from tests.generated.projects import Generated
from tests.handmade import Ran, polster

DAY = '''
    class Contract(dy.Schema):
        """What every row promises."""

        order_id = dy.Int64(primary_key=True)
        day = dy.Date()


'''
# What each function returns, and what is found: rule, a text in its line, part of the message.
WRONG: Mapping[str, tuple[str, tuple[str, str, str]]] = {
    "misspelled": (
        'orders.filter(pl.col("amount") > 0).with_columns(day=pl.col("orderd_at"))',
        ("schema", "orderd_at", 'unable to find column "orderd_at"'),
    ),
    "in_a_chain": (
        """(
            orders
            .filter(pl.col("amount") > 0)
            .with_columns(
                day=pl.col("ts"),
            )
            .group_by("day")
            .agg(n=pl.len())
        )""",
        ("schema", ".with_columns(", 'unable to find column "ts"'),
    ),
    "grouped_by_nothing": ('orders.group_by("day").agg(n=pl.len())', ("schema", "agg", '"day"')),
    "dropped_nothing": ('orders.drop("nope")', ("schema", ".drop(", '"nope" not found')),
    "text_of_a_number": (
        'orders.with_columns(day=pl.col("customer_id").str.to_date())',
        ("schema", "str.to_date", "expected `String`, got `i64`"),
    ),
    "time_against_text": (
        'orders.filter(pl.col("ordered_at") > "2024-01-01")',
        ("schema", "2024-01-01", "cannot compare 'date/datetime/time' to a string value"),
    ),
    "number_against_text": (
        'orders.filter(pl.col("customer_id") == "A")',
        ("schema", '"A"', "cannot compare string with numeric type"),
    ),
    "number_plus_time": (
        'orders.with_columns(z=pl.col("customer_id") + pl.col("ordered_at"))',
        ("schema", "z=", "+ not allowed"),
    ),
    "unnested_number": (
        'orders.unnest("customer_id")',
        ("schema", ".unnest(", "expected 'Struct'"),
    ),
    "concat_of_different": (
        "pl.concat([orders, orders.select('raw')])",
        ("schema", "pl.concat", "same schema"),
    ),
    "another_schema": (
        "orders.map_batches(lambda df: df.with_columns(q=pl.lit(1)))",
        ("schema", "map_batches", "output schema of 'LazyFrame.map' is incorrect"),
    ),
    "no_such_method": ("orders.filtr(True)", ("schema", "filtr", "has no attribute 'filtr'")),
    "no_such_name": ("order", ("schema", "return order", "name 'order' is not defined")),
    "eager_misspelled": (
        'orders.collect().with_columns(x=pl.col("amuont"))',
        ("schema", "amuont", 'unable to find column "amuont"'),
    ),
    "returns_nothing": ("None", ("schema", "def transform", "returns nothing")),
    "returns_a_series": ('orders.collect()["raw"]', ("schema", "def transform", "returns Series")),
    "reads": (
        'orders.join(pl.scan_parquet("ref.parquet"), on="customer_id")',
        ("purity", "scan_parquet", "transform() calls scan_parquet()"),
    ),
    "writes": ('orders.collect().write_csv("x.csv")', ("purity", "write_csv", "calls write_csv()")),
    "opens": (
        'orders if open("/etc/hostname").read() else orders',
        ("purity", "open(", "opens /etc/hostname"),
    ),
    "connects": (
        '__import__("socket").create_connection(("127.0.0.1", 1)) and orders',
        ("purity", "socket", "calls socket."),
    ),
    "runs": (
        '__import__("subprocess").run(["true"]) and orders',
        ("purity", "subprocess", "calls subprocess.Popen"),
    ),
}
RIGHT: Mapping[str, str] = {
    "plain": 'orders.filter(pl.col("amount") > 0)',
    "dynamic": "orders.select(c for c, t in orders.collect_schema().items() if t.is_numeric())",
    "mapped": 'orders.with_columns(k=pl.col("raw").map_elements(str, return_dtype=pl.String))',
    "mapped_untyped": 'orders.with_columns(k=pl.col("raw").map_elements(lambda v: v + "x"))',
    "batches": "orders.map_batches(lambda df: df.head(1))",
    "first_row": "orders.collect().with_columns(first=pl.lit(orders.collect().row(0)[0])).lazy()",
    "largest": """orders.with_columns(
        n=pl.lit(orders.select(pl.col("amount").max()).collect().item() * 2)
    )""",
    "row_by_row": """pl.DataFrame(
        [{"id": r["order_id"] * 2} for r in orders.collect().iter_rows(named=True)]
    )""",
    "parts": 'orders.collect().partition_by("customer_id")[0]',
    "pivot": 'orders.collect().pivot("raw", index="order_id", values="amount").lazy()',
    "dates": 'orders.with_columns(d=pl.col("raw").str.to_date())',
    "lists": "pl.DataFrame({'m': [max(orders.collect()['amount'].to_list())]})",
    "env": 'orders.with_columns(h=pl.lit(len(__import__("os").environ.get("HOME", ""))))',
    "logs": "print('hello') or __import__('logging').getLogger().warning('x') or orders",
    "lazy_import": "__import__('colorsys') and orders",
    "zoned": "orders.with_columns(z=pl.col('ordered_at').dt.replace_time_zone('Europe/Berlin'))",
}


INCREMENTS = """
    from typing import Annotated

    from polster_runtime import Own, Touched, Upsert


    class Contract(dy.Schema):
        order_id = dy.Int64(primary_key=True)
        city = dy.String(nullable=True)


    def transform(ARGUMENTS) -> Upsert:
        return RETURNS
"""
OWN = "orders: pl.LazyFrame, before: Own"
TOUCHED = 'orders: Annotated[pl.LazyFrame, Touched("{}")]'
# What a function takes and returns; a part of what is found at its name, if anything is.
INCREMENTAL = {
    "gold_no_group": (
        TOUCHED.format("city"),
        'orders.with_columns(city=pl.lit("Ulm"))',
        "orders has no column 'city', which Touched names",
    ),
    "silver_no_flag": (
        TOUCHED.format("order_id"),
        'orders.select("order_id", city=pl.lit("Ulm"), _deleted=pl.lit(0))',
        "transform() returns _deleted as Int32; it must be Boolean",
    ),
    "silver_removes": (
        TOUCHED.format("order_id"),
        'orders.select("order_id", city=pl.lit("Ulm"), _deleted=pl.col("amount") > 0)',
        None,
    ),
    "silver_own": (OWN, 'orders.select("order_id").join(before, on="order_id")', None),
    "silver_own_town": (
        OWN,
        'orders.join(before.select("order_id", "town"), on="order_id")',
        'unable to find column "town"',
    ),
}


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Generated:
    """Return a project with every function above, and its environment in place."""
    made = maker(tmp_path_factory.mktemp("deep"), runtime, templates)(samples=False)
    (made.root / ".venv").symlink_to(runtime.parent.parent)
    made.place("bronze_orders", "orders")
    made.place("bronze_customers", "customers")
    for name, (body, _) in WRONG.items():
        made.add(f"silver_{name}", function(body), ["bronze_orders"])
    for name, body in RIGHT.items():
        made.add(f"silver_{name}", function(body), ["bronze_orders"])
    for stem, (arguments, returns, _) in INCREMENTAL.items():
        text = INCREMENTS.replace("ARGUMENTS", arguments).replace("RETURNS", returns)
        gold = stem.startswith("gold")  # over a silver asset whose columns no contract names
        text = text.replace("transform", "aggregate") if gold else text
        made.add(stem, text, ["silver_zoned" if gold else "bronze_orders"])
    return made


def function(body: str) -> str:
    return f"def transform(orders: pl.LazyFrame) -> pl.LazyFrame:\n    return {dedent(body)}\n"


@pytest.fixture(scope="module")
def found(shop: Generated) -> list[dict[str, Any]]:
    """Return all that the deep rules find in it."""
    return deep(polster(shop.root, "validate", "--deep", "--json"))


def deep(ran: Ran) -> list[dict[str, Any]]:
    problems = json.loads(ran.out)["problems"]
    names = {"definitions", "schema", "contract", "purity"}
    return [problem for problem in problems if problem["rule"] in names]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_at_its_line(
    shop: Generated, found: list[dict[str, Any]], name: str
) -> None:
    _, (rule, line, message) = WRONG[name]
    here = [one for one in found if one["path"] == f"src/core/silver_{name}.py"]
    (problem,) = here
    assert (problem["rule"], problem["line"]) == (rule, shop.line_of(f"silver_{name}", line))
    assert message in problem["message"]
    assert "\n" not in problem["message"]


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_raises_no_alarm(found: list[dict[str, Any]], name: str) -> None:
    assert [one for one in found if one["path"] == f"src/core/silver_{name}.py"] == []


@pytest.mark.parametrize("stem", INCREMENTAL)
def test_functions_that_read_what_is_new(found: list[dict[str, Any]], stem: str) -> None:
    here = [one["message"] for one in found if one["path"] == f"src/core/{stem}.py"]
    says = INCREMENTAL[stem][-1]
    assert len(here) == (says is not None)
    assert says is None or says in here[0]


def test_nothing_else_is_found_and_nothing_is_written(
    shop: Generated, found: list[dict[str, Any]]
) -> None:
    wrong = [stem for stem, (*_, says) in INCREMENTAL.items() if says]
    wrong += [f"silver_{name}" for name in WRONG]
    assert {one["path"] for one in found} == {f"src/core/{stem}.py" for stem in wrong}
    assert not (shop.root / "x.csv").exists()
    assert list(shop.root.rglob("*.parquet")) == []


def with_venv(made: Generated) -> Generated:
    (made.root / ".venv").symlink_to(made.interpreter.parent.parent)
    return made


def test_a_fresh_project_is_faultless_before_and_after_its_first_run(project: MakeProject) -> None:
    shop = with_venv(project())
    before = polster(shop.root, "validate", "--deep")
    assert (before.code, before.out) == (0, "no problems in 4 assets\n")
    assert before.err == (
        "note: silver_example could not be checked: the columns of bronze_example are known only "
        "after a first run\n"
    )
    assert shop.run().returncode == 0
    after = polster(shop.root, "validate", "--deep")
    assert (after.code, after.out, after.err) == (0, "no problems in 4 assets\n", "")


def test_what_a_contract_asks_for(project: MakeProject) -> None:
    shop = with_venv(project(samples=False))
    shop.place("bronze_orders", "orders")
    body = '    return orders.select("order_id", "raw", day=pl.col("ordered_at"))\n'
    shop.add("silver_days", dedent(DAY) + f"def transform(orders):\n{body}", ["bronze_orders"])
    lost = "def transform(orders):\n    return orders.select('order_id')\n"
    shop.add("silver_lost", dedent(DAY) + lost, ["bronze_orders"])
    found = deep(polster(shop.root, "validate", "--deep", "--json"))
    assert [(one["severity"], one["path"], one["line"], one["message"]) for one in found] == [
        (
            "warning",
            "src/core/silver_days.py",
            shop.line_of("silver_days", "day = dy.Date()"),
            (
                "transform() returns day as Datetime(time_unit='us', time_zone=None), "
                "and the contract says Date"
            ),
        ),
        (
            "warning",
            "src/core/silver_days.py",
            shop.line_of("silver_days", "def transform"),
            "transform() returns raw, which the contract drops",
        ),
        (
            "error",
            "src/core/silver_lost.py",
            shop.line_of("silver_lost", "day = dy.Date()"),
            "transform() returns no column day",
        ),
    ]


def test_a_rule_of_a_contract_that_cannot_be_evaluated(project: MakeProject) -> None:
    shop = with_venv(project(samples=False))
    shop.place("bronze_orders", "orders")
    rule = '@dy.rule()\n    def is_paid(cls) -> pl.Expr:\n        return pl.col("paid") > 0'
    shop.edit("src/core/bronze_orders.py", "    raw =", f"    {rule}\n\n    raw =")
    found = deep(polster(shop.root, "validate", "--deep", "--json"))
    (problem,) = [one for one in found if one["rule"] == "contract"]
    assert problem["path"] == "src/core/bronze_orders.py"
    assert 'the contract is broken: unable to find column "paid"' in problem["message"]


def test_gold_sees_what_the_contract_of_silver_lets_through(project: MakeProject) -> None:
    shop = with_venv(project(samples=False))
    shop.place("bronze_orders", "orders")
    silver = function('orders.with_columns(day=pl.col("ordered_at").dt.date())')
    shop.add("silver_days", dedent(DAY) + silver, ["bronze_orders"])
    gold = 'def aggregate(days):\n    return days.select(pl.col("amount").sum())\n'
    shop.add("gold_sum", gold, ["silver_days"])
    found = deep(polster(shop.root, "validate", "--deep", "--json"))
    (problem,) = [one for one in found if one["path"] == "src/core/gold_sum.py"]
    assert problem["message"] == 'unable to find column "amount"'
    assert problem["hint"] == "there are order_id, day"


def test_what_a_change_would_break(project: MakeProject) -> None:
    shop = with_venv(project())
    assert shop.run().returncode == 0
    ran = polster(shop.root, "validate", "--what-if", "drop example.amount")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "1 problem (1 error)")
    assert "transform() returns no column amount" in ran.out
    assert ran.err == "note: gold_example would not run either\n"
    ran = polster(
        shop.root, "validate", "--what-if", "cast customers.customer_id to String", "--json"
    )
    (problem,) = json.loads(ran.out)["problems"]
    assert problem["line"] == shop.line_of("silver_example", "return example.unique().join")
    assert "datatypes of join keys don't match" in problem["message"]
    ran = polster(shop.root, "validate", "--what-if", "rename customers.country to land")
    assert (ran.code, ran.out) == (0, "no problems in 4 assets\n")
    ran = polster(shop.root, "validate", "--what-if", "drop example.amuont")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: no column is called amuont: there are order_id, ")


def test_a_project_that_dagster_cannot_load(project: MakeProject) -> None:
    shop = with_venv(project(samples=False))
    shop.add(
        "bronze_orders", "import nothing_like_it\n\n\ndef extract():\n    return pl.LazyFrame()\n"
    )
    found = deep(polster(shop.root, "validate", "--deep", "--json"))
    line = shop.line_of("bronze_orders", "import nothing_like_it")
    assert [(one["rule"], one["path"], one["line"]) for one in found] == [
        ("definitions", "src/core/bronze_orders.py", line),
        ("schema", "src/core/bronze_orders.py", line),
    ]
    assert "No module named 'nothing_like_it'" in found[0]["message"]


def test_a_function_that_ends_the_process_is_one_line(project: MakeProject) -> None:
    shop = with_venv(project(samples=False))
    shop.place("bronze_orders", "orders")
    body = "def transform(orders):\n    __import__('os')._exit(7)\n"
    shop.add("silver_days", body, ["bronze_orders"])
    ran = polster(shop.root, "validate", "--deep")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(
        "error: the checks in the project's environment ended with exit code 7"
    )


def test_without_an_environment(project: MakeProject) -> None:
    ran = polster(project().root, "validate", "--deep")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "error: --deep needs the project's own environment: there is no .venv\n"
        "hint: make one with  polster setup\n"
    )
