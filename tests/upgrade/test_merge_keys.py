"""Merging settings by their keys: `pyproject.toml`, `.env.example`, `.gitignore`."""

from __future__ import annotations

import tomllib
from pathlib import PurePosixPath
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from polster_core.upgrade.merge import Merged, merge_file

BASE = """\
[project]
name = "shop"
dependencies = [
    "dagster>=1.13,<1.14",
    "polars>=2.1,<3",
    "rich>=14,<16",
]

[project.optional-dependencies]
dev = ["mypy>=1.15,<3", "pytest>=8.3,<10"]

[tool.hatch.build.targets.wheel]
packages = ["src/core", "src/orchestration"]

[tool.polster]
version = "0.1.0"

[tool.ruff]
line-length = 100

[[tool.mypy.overrides]]
module = ["fsspec.*"]
ignore_missing_imports = true
"""
NEW = """\
[project]
name = "shop"
dependencies = [
    "dagster>=1.14,<1.15",
    "polars>=2.1,<3",
    "pydantic-settings>=2.1",
]

[project.optional-dependencies]
dev = ["mypy>=1.15,<3", "pytest>=8.3,<10"]

[tool.hatch.build.targets.wheel]
packages = ["src/core", "src/orchestration", "src/polster_runtime"]

[tool.polster]
runtime = "vendored"

[tool.ruff]
line-length = 100
# Upgrades replace the runtime.
extend-exclude = ["src/polster_runtime"]

[[tool.mypy.overrides]]
module = ["fsspec.*"]
ignore_missing_imports = true
"""


def merge(name: str, base: str, mine: str, new: str) -> Merged:
    return merge_file(PurePosixPath(name), base.encode(), mine.encode(), new.encode())


def merged_toml(mine: str, base: str = BASE, new: str = NEW) -> dict[str, Any]:
    merged = merge("pyproject.toml", base, mine, new)
    assert merged.text is not None
    assert merged.conflicts == ()
    return tomllib.loads(merged.text.decode())


def test_the_team_changed_everything_around_what_polster_changed() -> None:
    mine = (
        BASE.replace('    "rich>=14,<16",\n', '    "rich>=14,<16",\n    "sqlglot>=27",  # ours\n')
        .replace("polars>=2.1,<3", "polars>=2.1,<2.3")
        .replace("line-length = 100", "line-length = 120")
        .replace('"pytest>=8.3,<10"', '"pytest>=8.3,<10", "polars-lts"')
        + '\n[tool.coverage.run]\nbranch = true\n\n[[tool.mypy.overrides]]\nmodule = ["ours"]\n'
    )
    merged = merge("pyproject.toml", BASE, mine, NEW)
    assert merged.conflicts == ()
    assert merged.text is not None
    assert b'"sqlglot>=27",  # ours' in merged.text
    found = tomllib.loads(merged.text.decode())
    assert found["project"]["dependencies"] == [
        "dagster>=1.14,<1.15",
        "polars>=2.1,<2.3",
        "pydantic-settings>=2.1",
        "sqlglot>=27",
    ]
    assert found["project"]["optional-dependencies"]["dev"][-1] == "polars-lts"
    tool = found["tool"]
    assert tool["ruff"] == {"line-length": 120, "extend-exclude": ["src/polster_runtime"]}
    assert tool["hatch"]["build"]["targets"]["wheel"]["packages"][-1] == "src/polster_runtime"
    assert tool["polster"] == {"runtime": "vendored"}
    assert tool["coverage"] == {"run": {"branch": True}}
    assert [one["module"] for one in tool["mypy"]["overrides"]] == [["fsspec.*"], ["ours"]]


def test_both_changed_one_bound() -> None:
    mine = BASE.replace("dagster>=1.13,<1.14", "dagster==1.13.5")
    merged = merge("pyproject.toml", BASE, mine, NEW)
    assert merged.conflicts == ('project.dependencies.dagster: Polster has  "dagster>=1.14,<1.15"',)
    assert merged.text is not None
    listed = tomllib.loads(merged.text.decode())["project"]["dependencies"]
    assert listed == ["dagster==1.13.5", "polars>=2.1,<3", "pydantic-settings>=2.1"]


def test_what_the_team_took_out_stays_out() -> None:
    mine = BASE.replace('    "dagster>=1.13,<1.14",\n', "").replace("line-length = 100\n", "")
    found = merged_toml(mine)
    assert found["project"]["dependencies"] == ["polars>=2.1,<3", "pydantic-settings>=2.1"]
    assert "line-length" not in found["tool"]["ruff"]


def test_windows_line_ends_stay() -> None:
    mine = BASE.replace("line-length = 100", "line-length = 99").replace("\n", "\r\n")
    merged = merge("pyproject.toml", BASE, mine, NEW)
    assert merged.text is not None
    assert merged.text.count(b"\r\n") == merged.text.count(b"\n")


def test_one_package_twice_is_left_to_the_team() -> None:
    twice = BASE.replace('"rich>=14,<16"', '"rich>=14,<16",\n    "polars>=2.2"')
    merged = merge("pyproject.toml", BASE, twice, NEW)
    assert merged.text is not None
    assert len(merged.conflicts) == 1
    listed = tomllib.loads(merged.text.decode())["project"]["dependencies"]
    assert listed == tomllib.loads(twice)["project"]["dependencies"]


def test_a_file_that_is_no_toml_stays() -> None:
    merged = merge("pyproject.toml", BASE, "<<<<<<< ours\n", NEW)
    assert merged.text is None
    assert merged.conflicts[0].startswith("it cannot be read as TOML")


keys = st.sampled_from(["a", "b", "c-d", "name"])
scalars = st.integers(0, 3) | st.sampled_from(["x", "y>=1", "é"]) | st.booleans()
tables = st.recursive(
    st.dictionaries(keys, scalars | st.lists(st.sampled_from(["p", "q", "r"]), max_size=3)),
    lambda inner: st.dictionaries(keys, inner | scalars, max_size=3),
    max_leaves=8,
)


@given(tables, tables, tables)
@settings(max_examples=150)
def test_random_tables(base: dict[str, Any], mine: dict[str, Any], new: dict[str, Any]) -> None:
    """What only the team changed stays, whatever else happens; what only Polster changed comes."""
    texts = [tomlkit.dumps(one) for one in (base, mine, new)]
    merged = merge("pyproject.toml", *texts)
    if merged.text is None:
        assert merged.conflicts
        return
    found = tomllib.loads(merged.text.decode())
    for key in {*base, *mine, *new}:
        before, ours, theirs = base.get(key), mine.get(key), new.get(key)
        if theirs == before:
            assert found.get(key) == ours
        elif ours == before:
            assert found.get(key) == theirs
    again = merge_file(
        PurePosixPath("pyproject.toml"), texts[2].encode(), merged.text, texts[2].encode()
    )
    assert again.text == merged.text


ENV = """\
# Copy this file to .env.

# The name of this environment.
ENV=dev

# How often a source is tried again, and the seconds before it.
SOURCE_RETRIES=3
SOURCE_RETRY_SECONDS=10

# Gone tomorrow.
OLD=1

LOG_LEVEL=WARNING
"""
ENV_NEW = """\
# Copy this file to .env, and edit it.

# The name of this environment.
ENV=dev

# How often a source is tried again, and the seconds before it.
SOURCE_RETRIES=5
SOURCE_RETRY_SECONDS=20

LOG_LEVEL=INFO

# How runs are named.
# RUN_NAME=
"""


def test_settings_merge_by_variable() -> None:
    mine = (
        ENV.replace("SOURCE_RETRY_SECONDS=10", "SOURCE_RETRY_SECONDS=10\nOURS_TOO=1")
        .replace("ENV=dev", "ENV=staging")
        .replace("LOG_LEVEL=WARNING\n", "LOG_LEVEL=WARNING\n\n# Ours.\nOURS=1\n")
        .replace("# Copy this file to .env.", "# Ask Ann for the values.")
    )
    merged = merge(".env.example", ENV, mine, ENV_NEW)
    assert merged.conflicts == ()
    assert merged.text is not None
    assert (
        merged.text.decode()
        == """\
# Ask Ann for the values.

# The name of this environment.
ENV=staging

# How often a source is tried again, and the seconds before it.
SOURCE_RETRIES=5
SOURCE_RETRY_SECONDS=20
OURS_TOO=1

LOG_LEVEL=INFO

# Ours.
OURS=1

# How runs are named.
# RUN_NAME=
"""
    )


def test_a_variable_that_both_changed_stays_as_the_team_has_it() -> None:
    mine = ENV.replace("LOG_LEVEL=WARNING", "LOG_LEVEL=DEBUG")
    merged = merge(".env.example", ENV, mine, ENV_NEW)
    assert merged.conflicts == ("LOG_LEVEL: Polster has  LOG_LEVEL=INFO",)
    assert merged.text is not None
    assert b"LOG_LEVEL=DEBUG" in merged.text
    assert b"SOURCE_RETRIES=5" in merged.text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_variable_that_both_added_is_there_once(newline: str) -> None:
    added = ENV_NEW.replace("# RUN_NAME=", "RUN_NAME=x")
    mine = ENV.replace("ENV=dev\n", "ENV=dev\nRUN_NAME=ours\n").replace("\n", newline)
    merged = merge(".env.example", ENV, mine, added)
    assert merged.text is not None
    assert merged.text.count(b"RUN_NAME") == 1
    assert merged.text.count(b"\r\n") == (merged.text.count(b"\n") if newline == "\r\n" else 0)


variables = st.dictionaries(
    st.sampled_from("ABCDEFG"), st.tuples(st.integers(0, 3), st.booleans(), st.booleans())
)


def settings_text(found: dict[str, tuple[int, bool, bool]]) -> str:
    blocks = [
        f"{'# about it' + chr(10) if comment else ''}{'# ' if off else ''}{name}={value}"
        for name, (value, comment, off) in found.items()
    ]
    return "\n\n".join(blocks) + "\n"


@given(variables, variables, variables)
@settings(max_examples=150)
def test_random_settings(
    base: dict[str, tuple[int, bool, bool]],
    mine: dict[str, tuple[int, bool, bool]],
    new: dict[str, tuple[int, bool, bool]],
) -> None:
    texts = [settings_text(one) for one in (base, mine, new)]
    merged = merge(".env.example", *texts)
    assert merged.text is not None
    found = merged.text.decode().splitlines()

    def line(one: dict[str, tuple[int, bool, bool]], name: str) -> str | None:
        value, _, off = one.get(name, (None, False, False))
        return None if value is None else f"{'# ' if off else ''}{name}={value}"

    for name in {*base, *mine, *new}:
        before, ours, theirs = line(base, name), line(mine, name), line(new, name)
        lines = [one for one in found if one.removeprefix("# ").startswith(f"{name}=")]
        if theirs == before:
            assert lines == ([ours] if ours else [])
        elif ours == before:
            assert lines == ([theirs] if theirs else [])
        else:
            assert lines == ([ours] if ours else [])


@st.composite
def pattern_lists(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """Draw a list and two edits of it, which may add the same; neither changes the order."""
    known, added = ["a", "b/", "!c", "*.d", "# e"], st.sampled_from(["f", "g/", "!h", "# i"])
    base = draw(st.lists(st.sampled_from(known), unique=True))

    def edit() -> list[str]:
        found = [pattern for pattern in base if draw(st.booleans())]
        for pattern in draw(st.lists(added, unique=True)):
            found.insert(draw(st.integers(0, len(found))), pattern)
        return found

    return base, edit(), edit()


@given(pattern_lists())
@settings(max_examples=150)
def test_ignore_lists_never_conflict(drawn: tuple[list[str], list[str], list[str]]) -> None:
    base, mine, new = drawn
    merged = merge(".gitignore", *("".join(f"{p}\n" for p in one) for one in drawn))
    assert merged.text is not None
    assert merged.conflicts == ()
    found = merged.text.decode().splitlines()
    ours = [pattern for pattern in mine if pattern not in base]
    assert [pattern for pattern in found if pattern in ours] == ours
    assert set(found) == set(ours) | set(new) - (set(base) - set(mine))
