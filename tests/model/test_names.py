"""Names that work everywhere, and names that would break something later."""

from __future__ import annotations

import keyword
import sys
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from polster_core.errors import UsageProblem
from polster_core.model.names import (
    MAX_LENGTH,
    asset_name_problem,
    check_asset_name,
    check_project_name,
    closest,
    did_you_mean,
    project_name_problem,
    suggest_asset_name,
    suggest_project_name,
)
from polster_core.rendering.context import REQUIREMENTS

DEVELOPMENT = ("mypy", "pytest", "ruff", "hatchling")


@pytest.mark.parametrize(
    "name",
    ["orders", "orders_2024", "a", "x" * MAX_LENGTH, "classes", "calendar", "email", "profile"],
)
def test_good_asset_names(name: str) -> None:
    assert check_asset_name(name) == name


@pytest.mark.parametrize("name", ["shop", "Shop", "my-shop_2", "a", "x" * MAX_LENGTH])
def test_good_project_names(name: str) -> None:
    assert check_project_name(name) == name


@pytest.mark.parametrize(
    ("name", "problem", "better"),
    [
        ("Silver-Orders", "use lower-case letters, digits and _", "orders"),
        ("../x", "use lower-case letters, digits and _", "x"),
        ("1st_orders", "start with a letter", "st_orders"),
        ("_orders", "start with a letter", "orders"),
        ("orders\n", "use lower-case letters, digits and _", "orders"),
        ("Größe", "use lower-case letters, digits and _", "grosse"),
        ("日本", "use lower-case letters, digits and _", "orders"),
        ("", "it is empty", "orders"),
        ("  ", "it is empty", "orders"),
        ("x" * 300, "it has 300 characters, and 100 are the most", "x" * 50),
        ("class", "a word of the Python language", "class_data"),
        ("none", "a word of the Python language", "none_data"),
        ("match", "a word of the Python language", "match_data"),
        ("type", "a word of the Python language", "type_data"),
        ("polars", "a library that the generated project uses", "polars_data"),
        ("core", "a module of the generated project", "core_data"),
        ("con", "Windows reserves it", "con_data"),
        ("lpt9", "Windows reserves it", "lpt9_data"),
        ("position", "a parameter of that name", "position_data"),
    ],
)
def test_bad_asset_names_say_why_and_suggest_a_good_one(
    name: str, problem: str, better: str
) -> None:
    with pytest.raises(UsageProblem) as caught:
        check_asset_name(name)
    assert problem in caught.value.reason
    assert caught.value.hint == f"for example  {better}"
    assert caught.value.exit_code == 2
    assert len(caught.value.reason) < 160


@pytest.mark.parametrize(
    ("name", "problem", "better"),
    [
        ("../x", "use letters, digits, - and _", "x"),
        ("my shop", "use letters, digits, - and _", "my-shop"),
        ("shop-", "end with a letter or digit", "shop"),
        (".", "use letters, digits, - and _", "shop"),
        ("Größe", "use letters, digits, - and _", "Grosse"),
        ("", "it is empty", "shop"),
        ("x" * 300, "it has 300 characters", "x" * 50),
        ("Import", "a word of the Python language", "Import-data"),
        ("dagster-webserver", "a library that", "dagster-webserver-data"),
        ("Polster", "a library that", "Polster-data"),
        ("tests", "a module of the generated project", "tests-data"),
        ("JSON", "standard library", "JSON-data"),
        ("rich", "a package that every project needs", "rich-data"),
        ("FileLock", "a package that every project needs", "FileLock-data"),
        ("mypy", "a package that every project needs", "mypy-data"),
        ("pydantic_core", "a package that every project needs", "pydantic_core-data"),
        ("NUL", "Windows reserves it", "NUL-data"),
    ],
)
def test_bad_project_names_say_why_and_suggest_a_good_one(
    name: str, problem: str, better: str
) -> None:
    with pytest.raises(UsageProblem) as caught:
        check_project_name(name)
    assert problem in caught.value.reason
    assert caught.value.hint == f"for example  {better}"


@given(st.text(max_size=400) | st.sampled_from([*keyword.kwlist, *sys.stdlib_module_names]))
def test_what_is_suggested_is_always_good(text: str) -> None:
    assert asset_name_problem(suggest_asset_name(text)) is None
    assert project_name_problem(suggest_project_name(text)) is None


def test_did_you_mean() -> None:
    assert did_you_mean("order", ["customers", "orders"]) == ". Did you mean orders?"
    assert did_you_mean("ADSL", ["local", "adls"]) == ". Did you mean adls?"
    assert did_you_mean("weather", ["customers", "orders"]) == ""
    assert closest("order", []) is None


def test_p11_no_project_is_called_like_a_package_that_it_needs() -> None:
    """What this environment has installed for the requirements of every project."""
    waiting, found = [Requirement(text) for text in (*REQUIREMENTS, *DEVELOPMENT)], set[str]()
    while waiting:
        needed = waiting.pop()
        name = canonicalize_name(needed.name)
        if name not in found and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += map(Requirement, metadata.requires(name) or [])
    assert len(found) > 50
    assert {name for name in found if project_name_problem(name) is None} == set()
