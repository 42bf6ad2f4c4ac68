"""Renaming an asset in Python files: all of its uses, and none of what only looks like it."""

from __future__ import annotations

from pathlib import PurePosixPath
from textwrap import dedent

import pytest

from polster_core.edit import CannotEditError, Edited, rename_references
from polster_core.model.layers import AssetId, Layer

OLD, NEW = AssetId(Layer.SILVER, "orders"), AssetId(Layer.SILVER, "clean_orders")


def edited(code: str, path: str = "tests/test_x.py", **parameters: tuple[str, str]) -> Edited:
    functions = {name.replace("__", "."): pair for name, pair in parameters.items()}
    return rename_references(dedent(code).encode(), PurePosixPath(path), OLD, NEW, functions)


def renamed(code: str, path: str = "tests/test_x.py", **parameters: tuple[str, str]) -> str:
    return edited(code, path, **parameters).data.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from core.silver_orders import transform", "from core.{s} import transform"),
        (
            "from src.core.silver_orders import transform as t",
            "from src.core.{s} import transform as t",
        ),
        ("import core.silver_orders as so\nso.x", "import core.{s} as so\nso.x"),
        ("import core.silver_orders\ncore.silver_orders.x", "import core.{s}\ncore.{s}.x"),
        ("from core import silver_orders\nsilver_orders.x()", "from core import {s}\n{s}.x()"),
        (
            "from core import (silver_orders as silver_orders)\nsilver_orders",
            "from core import ({s} as {s})\n{s}",
        ),
        ("import core\ncore.silver_orders.transform", "import core\ncore.{s}.transform"),
        (
            "from orchestration.assets.silver.run_silver_orders import run_silver_orders as r",
            "from orchestration.assets.silver.run_{s} import run_{s} as r",
        ),
        (
            "from orchestration.assets import silver\nsilver.run_silver_orders",
            "from orchestration.assets import silver\nsilver.run_{s}",
        ),
        ("from tests.test_silver_orders import frame", "from tests.test_{s} import frame"),
    ],
)
def test_imports_and_what_they_bind_are_renamed(before: str, after: str) -> None:
    assert renamed(before + "\n") == after.format(s="silver_clean_orders") + "\n"


@pytest.mark.parametrize(
    ("path", "before"),
    [
        ("src/core/gold_x.py", "from .silver_orders import Contract\n"),
        ("src/core/gold_x.py", "from . import silver_orders\nsilver_orders.Contract\n"),
        (
            "src/orchestration/assets/gold/run_gold_x.py",
            "from ..silver.run_silver_orders import run_silver_orders\nrun_silver_orders\n",
        ),
        ("src/orchestration/assets/__init__.py", "from .silver import run_silver_orders\n"),
    ],
)
def test_relative_imports_are_renamed(path: str, before: str) -> None:
    assert renamed(before, path) == before.replace("silver_orders", "silver_clean_orders")


def test_the_asset_s_own_file_is_renamed() -> None:
    code = '''\
        """The Dagster asset of src/core/silver_orders.py."""

        import dagster as dg

        from core.silver_orders import transform

        __all__ = ["run_silver_orders"]

        @dg.asset(deps=["run_bronze_orders"], check_specs=[contract_check("run_silver_orders")])
        def run_silver_orders(context):
            """Orders."""
            yield from materialize(context, transform)

        alias = run_silver_orders  # run_silver_orders too
    '''
    path = "src/orchestration/assets/silver/run_silver_orders.py"
    assert renamed(code, path) == dedent(code).replace("silver_orders", "silver_clean_orders")


@pytest.mark.parametrize(
    "code",
    [
        "from core.silver_orders_old import transform\n",
        "from core.bronze_orders import extract\n",
        "from other import silver_orders\nsilver_orders.x\n",
        "silver_orders = 1\nprint(silver_orders, x.silver_orders, f(silver_orders=2))\n",
        "def run_silver_orders(): pass\nrun_silver_orders()\n",
        "from core import silver_orders as so\n\ndef f(silver_orders): return silver_orders\n",
        "x = 'my_silver_orders', 'silver_orders_x', 'gold/silver/orders', 'quicksilver/orders'\n",
    ],
)
def test_namesakes_stay(code: str) -> None:
    assert renamed(code).replace("silver_clean_orders as so", "silver_orders as so") == code


def test_strings_are_renamed_where_they_can_only_mean_the_asset() -> None:
    code = """\
        paths = ["src/core/silver_orders.py", "core.silver_orders", "data/silver/orders"]
        names = ["silver_orders", f"{x}/core/silver_orders.py"]
        select = ["run_silver_orders", "+silver_orders", "silver_orders+2"]
        tests = b"test_silver_orders"
    """
    assert renamed(code) == dedent(code).replace("silver_orders", "silver_clean_orders").replace(
        "silver/orders", "silver/clean_orders"
    )


def test_strings_that_may_mean_something_else_are_left_and_reported() -> None:
    code = 'sql = "select * from silver_orders"\nname = f"silver_orders{x}"\n'
    found = edited(code)
    assert found.data.decode() == code
    assert [(left.line, left.text) for left in found.left] == [
        (1, '"select * from silver_orders"'),
        (2, "silver_orders"),
    ]


def test_comments_and_docstrings_are_renamed() -> None:
    code = (
        '"""Uses silver_orders (silver/orders)."""\n'
        '# see silver_orders\ndef f():\n    "silver_orders"'
    )
    assert renamed(code) == code.replace("silver_orders", "silver_clean_orders").replace(
        "silver/orders", "silver/clean_orders"
    )


def test_callers_use_the_new_parameter() -> None:
    code = """\
        from functools import partial
        from core.gold_revenue import aggregate
        from core import gold_revenue

        aggregate(orders=f(orders=1), customers=orders)
        gold_revenue.aggregate(**{"orders": 1})
        partial(aggregate, orders=1)
        other(orders=1)
    """
    after = """\
        from functools import partial
        from core.gold_revenue import aggregate
        from core import gold_revenue

        aggregate(clean_orders=f(orders=1), customers=orders)
        gold_revenue.aggregate(**{"clean_orders": 1})
        partial(aggregate, clean_orders=1)
        other(orders=1)
    """
    pair = ("orders", "clean_orders")
    assert renamed(code, core__gold_revenue__aggregate=pair) == dedent(after)


def test_a_name_that_is_taken_is_refused_at_its_line() -> None:
    code = "from core import silver_orders\n\nsilver_clean_orders = silver_orders.x\n"
    with pytest.raises(
        CannotEditError, match="the name silver_clean_orders is used here"
    ) as caught:
        renamed(code)
    assert caught.value.line == 3
