"""A renamed parameter: every use follows it, and nothing else of that name does."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polster_core.edit import CannotEditError, rename_parameter


def renamed(code: str, old: str = "orders", new: str = "clean_orders") -> str:
    return rename_parameter(dedent(code).encode(), "transform", old, new).decode()


def test_uses_follow_and_namesakes_stay() -> None:
    before = '''\
        def transform(
            orders: pl.LazyFrame,  # the orders
            keys: list = [orders for orders in KEYS],
        ) -> pl.LazyFrame:
            """Take orders."""
            orders = orders.filter(pl.col("orders") > 0)

            def inner(orders: int) -> int:
                return orders

            def outer() -> None:
                nonlocal orders
                orders = inner(orders=orders)

            return join(orders, orders=orders.orders, text=f"{orders.height}")


        orders = transform(orders)
    '''
    after = '''\
        def transform(
            clean_orders: pl.LazyFrame,  # the orders
            keys: list = [orders for orders in KEYS],
        ) -> pl.LazyFrame:
            """Take orders."""
            clean_orders = clean_orders.filter(pl.col("orders") > 0)

            def inner(orders: int) -> int:
                return orders

            def outer() -> None:
                nonlocal clean_orders
                clean_orders = inner(orders=clean_orders)

            return join(clean_orders, orders=clean_orders.orders, text=f"{clean_orders.height}")


        orders = transform(orders)
    '''
    assert renamed(before) == dedent(after)


@pytest.mark.parametrize(
    "signature", ["orders, /", "*, orders", "orders=None", "a, *b, orders: int = 1, **c"]
)
def test_any_kind_of_parameter_is_renamed(signature: str) -> None:
    code = f"def transform({signature}):\n    return orders\n"
    assert renamed(code) == code.replace("orders", "clean_orders")


@pytest.mark.parametrize(
    "code",
    [
        "def transform(df): return orders\n",
        "def transform(*orders): return orders\n",
        "def aggregate(orders): return orders\n",
        "class A:\n    def transform(self, orders): return orders\n",
        "transform = make(orders)\n",
    ],
)
def test_without_such_a_parameter_nothing_changes(code: str) -> None:
    assert renamed(code) == code


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ('return pl.sql("select * from orders")', 2, "looks up orders by its name"),
        ('x = locals()\nreturn x["orders"]', 3, "looks up orders by its name"),
        (
            'c = pl.SQLContext(register_globals=True)\nreturn c.execute("from orders")',
            3,
            "looks up",
        ),
        ("clean_orders = 1\nreturn orders", 2, "uses the name clean_orders already"),
        ("return orders.join(clean_orders)", 2, "uses the name clean_orders already"),
        ("class A:\n    orders = orders\nreturn A", 1, "cannot be renamed safely"),
    ],
)
def test_what_cannot_be_renamed_safely_is_refused(body: str, line: int, reason: str) -> None:
    code = f"def transform(orders):\n{indent(body, '    ')}\n"
    with pytest.raises(CannotEditError, match=reason) as caught:
        renamed(code)
    assert caught.value.line == line


def test_frames_named_in_a_sql_context_keep_their_table_names() -> None:
    code = 'def transform(orders):\n    return pl.SQLContext(orders={}).execute("from orders")\n'
    assert renamed(code.format("orders")) == code.format("clean_orders").replace(
        "(orders):", "(clean_orders):"
    )


def test_attributes_and_keywords_of_the_new_name_do_not_conflict() -> None:
    code = "def transform(orders):\n    return f(x.clean_orders, clean_orders=orders)\n"
    assert "def transform(clean_orders):" in renamed(code)


SNIPPETS = [
    "total += orders",
    "orders += 1",
    "orders: int = orders * 2",
    "total += sum(orders for orders in range(3))",
    "total += sum(orders for n in range(3))",
    "total += sum([orders + n for n in range(orders % 5)])",
    "total += (lambda orders: orders)(2) + (lambda n=orders: n)()",
    "total += len(f'{orders} {orders:{orders % 7}}')",
    "total += box(orders=orders).orders",
    "total += [orders := orders + 1 for n in range(3)][-1]",
    "for orders in range(orders, orders + 3):\n    total += orders",
    "with suppress(ValueError) as orders_too:\n    total += orders",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    total += orders",
    "match orders:\n    case 1:\n        total += 1\n    case orders:\n        total += orders",
    "match [orders, 2]:\n    case [orders, *rest]:\n        total += orders + len(rest)",
    "def inner(orders=orders):\n    return orders + 1\ntotal += inner()",
    "def inner():\n    return orders + inner_total\ninner_total = 3\ntotal += inner()",
    "def inner():\n    nonlocal orders\n    orders += 5\n    return orders\ntotal += inner()",
    "def inner():\n    global orders\n    return orders\ntotal += inner()",
    "class A:\n    b = orders\n    def c(self):\n        return orders + self.b\ntotal += A().c()",
    "import math as orders_math\ntotal += orders_math.floor(orders)",
    "del total; total = orders",
    "x = {'orders': orders}; total += x['orders']",
    "assert orders, f'{orders=}'",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(SNIPPETS), min_size=1, max_size=6), st.integers(1, 50))
def test_a_renamed_function_does_the_same(snippets: list[str], value: int) -> None:
    body = indent("total = 0\n" + "\n".join(snippets) + "\nreturn total, orders", "    ")
    code = (
        "from contextlib import suppress\n"
        "from types import SimpleNamespace as box\n"
        f"orders = 1000\ndef transform(orders):\n{body}\n"
    )
    after = renamed(code)
    assert "def transform(clean_orders):" in after
    assert _result(after, value) == _result(code, value)


def _result(code: str, value: int) -> object:
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102
    return names["transform"](value)  # type: ignore[operator]
