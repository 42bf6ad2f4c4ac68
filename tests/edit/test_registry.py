"""A layer's `__init__.py`: what an edit does not mean to change stays, byte for byte."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from polster_core.edit import CannotEditError, register, reregister, unregister
from polster_core.model.layers import AssetId, Layer

ORDERS = AssetId(Layer.SILVER, "orders")
PACKAGE = "orchestration.assets.silver"

EMPTY = '"""The silver assets."""\n\n__all__: list[str] = []\n'
TWO = '''\
"""The silver assets."""

from orchestration.assets.silver.run_silver_customers import run_silver_customers
from orchestration.assets.silver.run_silver_products import run_silver_products

__all__: list[str] = [
    "run_silver_customers",
    "run_silver_products",
]
'''


def silver(name: str) -> AssetId:
    return AssetId(Layer.SILVER, name)


def test_an_empty_layer_gets_a_line_for_each_name() -> None:
    assert register(EMPTY.encode(), ORDERS).decode() == dedent('''\
        """The silver assets."""

        from orchestration.assets.silver.run_silver_orders import run_silver_orders

        __all__: list[str] = [
            "run_silver_orders",
        ]
    ''')


def test_import_and_name_go_where_they_sort() -> None:
    assert register(TWO.encode(), ORDERS).decode() == dedent('''\
        """The silver assets."""

        from orchestration.assets.silver.run_silver_customers import run_silver_customers
        from orchestration.assets.silver.run_silver_orders import run_silver_orders
        from orchestration.assets.silver.run_silver_products import run_silver_products

        __all__: list[str] = [
            "run_silver_customers",
            "run_silver_orders",
            "run_silver_products",
        ]
    ''')


def test_an_import_too_long_for_a_line_is_wrapped() -> None:
    name = "orders_" + "x" * 30
    assert register(b"", silver(name)).decode() == (
        f"from {PACKAGE}.run_silver_{name} import (\n    run_silver_{name},\n)\n"
    )


def test_names_on_one_line_go_on_below_the_first() -> None:
    line = '__all__ = ["run_silver_aaaaaaaaaaaaaaaa", "run_silver_bbbbbbbbbbbb", "run_silver_cccc"]'
    grown = register(line.encode(), ORDERS).decode()
    assert grown.endswith('"run_silver_cccc",\n           "run_silver_orders"]')


def test_the_style_of_what_is_there_is_taken_up() -> None:
    before = (
        b"from .run_silver_b import run_silver_b as run_silver_b\r\n__all__ = ('run_silver_b',)"
    )
    assert register(before, silver("a")) == (
        b"from .run_silver_a import run_silver_a as run_silver_a\r\n"
        b"from .run_silver_b import run_silver_b as run_silver_b\r\n"
        b"__all__ = ('run_silver_a', 'run_silver_b')"
    )


def test_a_file_without_all_gets_none() -> None:
    assert b"__all__" not in register(b"# by hand\n", ORDERS)


def test_comments_stay_above_what_they_are_about() -> None:
    before = dedent('''\
        """Doc."""

        import os  # first

        # the ones that matter
        from orchestration.assets.silver.run_silver_z import run_silver_z

        __all__ = [  # type: List[str]
            # the ones that matter
            "run_silver_z",  # last
        ]
    ''')
    assert register(before.encode(), ORDERS).decode() == before.replace(
        "# the ones that matter\nfrom",
        "from orchestration.assets.silver.run_silver_orders import run_silver_orders\n"
        "# the ones that matter\nfrom",
    ).replace(
        '    # the ones that matter\n    "',
        '    "run_silver_orders",\n    # the ones that matter\n    "',
    )


def test_what_is_registered_already_is_left_alone() -> None:
    once = register(TWO.encode(), ORDERS)
    assert register(once, ORDERS) == once


def test_one_of_several_imported_names_goes_alone() -> None:
    before = b"from . import (\n    run_silver_a,  # one\n    run_silver_orders,\n)\n"
    assert unregister(before, ORDERS) == b"from . import (\n    run_silver_a,  # one\n)\n"


def test_a_renamed_asset_moves_to_where_it_sorts() -> None:
    renamed = reregister(TWO.encode(), silver("customers"), silver("shops")).decode()
    assert renamed == dedent('''\
        """The silver assets."""

        from orchestration.assets.silver.run_silver_products import run_silver_products
        from orchestration.assets.silver.run_silver_shops import run_silver_shops

        __all__: list[str] = [
            "run_silver_products",
            "run_silver_shops",
        ]
    ''')


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("__all__ = [n for n in dir()]\n", 1, "__all__ is not written out as a list"),
        ("if True:\n    __all__ = []\n", 2, "__all__ is not written out as a list"),
        ("x = (\n", 1, "the file cannot be parsed"),
    ],
)
def test_what_cannot_be_edited_is_refused_at_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(CannotEditError, match=reason) as caught:
        register(text.encode(), ORDERS)
    assert caught.value.line == line
    assert str(caught.value.at("a.py").reason).startswith(f"a.py:{line}: {reason}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"try:\n    from {PACKAGE}.run_silver_orders import run_silver_orders\nexcept E: 1\n", 2),
        (f"import os; from {PACKAGE}.run_silver_orders import run_silver_orders\n", 1),
        ("from .run_silver_orders import run_silver_orders\nALL = [run_silver_orders]\n", 2),
        ('__all__ = ["run_silver_orders",\n"run_silver_orders"]\n', 2),
    ],
)
def test_what_cannot_be_taken_out_is_refused_at_its_line(text: str, line: int) -> None:
    with pytest.raises(CannotEditError) as caught:
        unregister(text.encode(), ORDERS)
    assert caught.value.line == line


def test_a_name_in_pieces_cannot_be_renamed() -> None:
    with pytest.raises(CannotEditError, match="in pieces"):
        reregister(b'__all__ = ["run_" "silver_orders"]\n', ORDERS, silver("x"))


NAMES = ["a", "b2", "b10", "b_02", "customers", "z" * 20, "zz_" + "y" * 36]
name = st.sampled_from(NAMES)
newline = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def imports(draw: st.DrawFn) -> list[str]:
    form = draw(
        st.sampled_from(["{p}.{k} import {k}", ".{k} import {k}", "{p}.{k} import {k} as {k}"])
    )
    wrapped = "{p}.{k} import (  # why\n    {k}\n)"
    lines = []
    for one in draw(st.lists(name, max_size=4, unique=True)):
        chosen = draw(st.sampled_from([form, form, form, wrapped]))
        note = draw(st.sampled_from(["", "", "  # noqa: F401", "\n", "\n\n# group"]))
        lines.append("from " + chosen.format(p=PACKAGE, k=f"run_silver_{one}") + note)
    others = ["import os", "from polars import (col,\n\tlit)", "from orchestration.utils import x"]
    return draw(st.permutations([*lines, *draw(st.lists(st.sampled_from(others), unique=True))]))


@st.composite
def exports(draw: st.DrawFn) -> list[str]:
    quote = draw(st.sampled_from(['"', "'"]))
    items = [f"{quote}run_silver_{one}{quote}" for one in draw(st.lists(name, unique=True))]
    head = draw(st.sampled_from(["__all__ = ", "__all__: list[str] = ", "__all__ += ", "__all__="]))
    tail = draw(st.sampled_from(["", "  # type: List[str]", " + other.__all__"]))
    opening, closing = draw(st.sampled_from([("[", "]"), ("(", ")")]))
    joint = draw(
        st.sampled_from([", ", ",", ",\n    ", ",  # c\n    ", ",\n\t# c\n\t", ",\n           "])
    )
    start = draw(st.sampled_from(["", "", " ", "\n    ", "  # all\n    "]))
    end = draw(st.sampled_from(["", "", " ", ",", ",\n", "\n", "  # last\n", ",  # last\n"]))
    if opening == "(" and len(items) == 1 and "," not in end:
        end = "," + end
    if not items:
        end = end.replace(",", "")
    return [head + opening + start + joint.join(items) + end + closing + tail]


@st.composite
def init_files(draw: st.DrawFn) -> bytes:
    parts = [
        *draw(st.sampled_from([[], ["#!/usr/bin/env python"], ["# -*- coding: utf-8 -*-", ""]])),
        *draw(st.sampled_from([[], ['"""Döc."""', ""], ["'''Doc.\n# no comment\n'''"], ["# doc"]])),
        *draw(st.sampled_from([[], ["from __future__ import annotations"]])),
        *draw(imports()),
        *draw(
            st.sampled_from([[], ["", ""], ["\f"], ["if True:", "\timport re"], ["x = 1; y = 2"]])
        ),
        *draw(st.one_of(st.just([]), exports())),
        *draw(st.sampled_from([[], ["# end"], ["", "def f():", "\treturn 1", ""]])),
    ]
    text = draw(newline).join("\n".join(parts).split("\n"))
    text += draw(st.sampled_from(["", "\n", "\r\n", "\n\n", "\n  "]))
    data = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()
    try:
        compile(data, "__init__.py", "exec")
    except SyntaxError:
        assume(False)  # noqa: FBT003
    return data


def _exported(data: bytes) -> list[str]:
    return [
        node.value
        for node in ast.walk(ast.parse(data))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@settings(max_examples=150, deadline=None)
@given(data=init_files(), new=st.sampled_from(["aa", "b3", "orders", "zz_" + "x" * 40]))
@example(data=b"", new="orders")
@example(data=b"# c", new="orders")
@example(data=b"# c\n   ", new="orders")
@example(data=b'"""d"""', new="orders")
@example(data=b'__all__ = ["run_silver_a", "run_silver_b",\n           "run_silver_c"]', new="bb")
def test_adding_and_removing_is_the_identity(data: bytes, new: str) -> None:
    added = register(data, silver(new))
    tree = ast.parse(added)
    imported = [
        name.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for name in n.names
    ]
    assert imported.count(f"run_silver_{new}") == 1
    assert (f"run_silver_{new}" in _exported(added)) is (b"__all__" in data)
    assert unregister(added, silver(new)) == data


@settings(max_examples=150, deadline=None)
@given(
    data=init_files(),
    old=st.sampled_from(["b3", "orders"]),
    new=st.sampled_from(["aa", "b1", "b11", "zz"]),
)
def test_renaming_there_and_back_is_the_identity(data: bytes, old: str, new: str) -> None:
    before = register(data, silver(old))
    renamed = reregister(before, silver(old), silver(new))
    assert f"run_silver_{old}".encode() not in renamed
    words = re.sub(rf"\brun_silver_{new}\b".encode(), f"run_silver_{old}".encode(), renamed)
    assert Counter(words) == Counter(before)
    assert reregister(renamed, silver(new), silver(old)) == before


def test_real_files_survive() -> None:
    """Every `__all__` of the standard library that is a list takes a name and gives it back."""
    taken = 0
    for path in sorted(Path(ast.__file__).parent.glob("*.py")):
        data = path.read_bytes()
        if b"__all__" not in data or len(data) > 20_000:
            continue
        try:
            added = register(data, ORDERS)
        except CannotEditError:
            continue
        assert unregister(added, ORDERS) == data, path
        taken += 1
    assert taken > 30
