"""Kinds of assets that plugins offer: their flags, their files, and what they add to a project."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from polster_core.testing.projects import tree
from tests.conftest import Install
from tests.handmade import shop, write_project
from tests.machine import python

PLUGIN = '''
from pathlib import PurePosixPath
from polster_core.errors import UsageProblem
from polster_core.hookspecs import hookimpl
from polster_core.types import AssetTemplate, EnvVar, NewFile, Option

TABLE = Option(name="relation", help="The table.", required=True)


def oracle(context):
    if context.answers["relation"] == "boom":
        raise RuntimeError("no such table")
    if context.answers["relation"] == "bad":
        raise UsageProblem("--relation is none", hint="give another one")
    core = f"""# {context.asset.stem} {sorted(context.answers.items())} {context.docstring}\\n"""
    yield NewFile(path=context.asset.core_file, text=core)
    yield NewFile(path=PurePosixPath("src/core/connectors.py"), text="FRESH = True\\n")
    yield NewFile(path=PurePosixPath("docs/connectors/oracle.md"), text="# MySQL\\n")


@hookimpl
def polster_asset_templates():
    yield AssetTemplate(
        name="oracle",
        summary="A table",
        layers=("bronze",),
        options=(
            TABLE,
            Option(name="cursor", help="A column."),
            Option(name="mode", help="How.", choices=("full", "new"), default="full"),
            Option(name="tls", help="TLS.", flag=True, default="true"),
        ),
        requirements=("pymysql[rsa]>=1.1,<2", "Polars>=1"),
        env=(
            EnvVar(name="ORACLE_HOST", help="Where it runs.", default="localhost"),
            EnvVar(name="ORACLE_PASSWORD", help="Its password.", secret=True, default="x"),
        ),
        files=oracle,
    )
    yield AssetTemplate(
        name="mart", summary="A mart", layers=("gold",), options=(TABLE,), files=lambda _: ()
    )
'''
OTHER = """
from polster_core.hookspecs import hookimpl
from polster_core.types import AssetTemplate, Option

@hookimpl
def polster_asset_templates():
    yield AssetTemplate(
        name="zkafka",
        summary="A topic",
        layers=("bronze",),
        options=(
            Option(name="name", help="Taken."),
            Option(name="tls", help="Not a switch here."),
        ),
    )
"""
Add = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project that has one asset and some settings."""
    files = {
        **shop({"bronze_a": ()}),
        "pyproject.toml": '[project]\nname = "s"\ndependencies = ["polars>=2"]\n\n[tool.polster]\n',
        ".env.example": "# Mine.\nORACLE_HOST=db\n",
        ".env": "TOKEN=1",
        "src/core/connectors.py": "MINE = True\n",
    }
    return write_project(tmp_path / "shop", files).root


@pytest.fixture
def add(install: Install, tmp_path: Path, root: Path) -> Add:
    """Return `polster add-asset`, as it is where the plugins are installed."""
    install("polster-plugin-oracle", PLUGIN)
    install("polster-plugin-kafka", OTHER)
    sites = [str(tmp_path / f"site/polster-plugin-{name}") for name in ("oracle", "kafka")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sites), "COLUMNS": "200"}

    def run(*args: str) -> tuple[int, str, str]:
        done = python("-m", "polster_core", "add-asset", *args, cwd=root, env=env)
        return done.returncode, done.stdout, done.stderr

    return run


BRONZE = ("--layer", "bronze", "--name", "orders", "--template", "oracle")


def test_its_flags_are_in_the_help(add: Add) -> None:
    code, out, _ = add("--help")
    assert code == 0
    assert (
        "[api|append|csv|excel|function|history|json|latest|mart|mysql|oracle|parquet|per-entity|"
        "project|sftp]" in out
    )
    assert "Options of --template mart, oracle:\n  --relation TEXT  The table.\n" in out
    assert "--tls / --no-tls" in out


def test_its_files_requirements_and_variables_arrive(add: Add, root: Path) -> None:
    before = tree(root)
    code, out, err = add(*BRONZE, "--relation", "sales", "--no-tls", "--description", "All.")
    assert code == 0, err
    assert "  create  docs/connectors/oracle.md\n" in out
    assert out.endswith(
        "\nNext:\n"
        "  polster setup    install what it needs\n"
        "  edit .env        ORACLE_PASSWORD\n"
        "  polster doctor   try it\n"
    )
    after: Mapping[str, str] = tree(root)
    assert after["src/core/bronze_orders.py"] == (
        "# bronze_orders [('mode', 'full'), ('relation', 'sales'), ('tls', 'false')] "
        '"""All."""\n'
    )
    assert after["src/core/connectors.py"] == "MINE = True\n"
    assert after["tests/test_bronze_orders.py"].startswith('"""Tests of src/core/bronze_orders.py')
    assert 'dependencies = ["polars>=2", "pymysql[rsa]>=1.1,<2"]\n' in after["pyproject.toml"]
    assert after[".env.example"] == (
        "# Mine.\nORACLE_HOST=db\n\n# Its password.\nORACLE_PASSWORD=\n"
    )
    assert after[".env"] == (
        "TOKEN=1\n\n# Where it runs.\nORACLE_HOST=localhost\n\n# Its password.\nORACLE_PASSWORD=\n"
    )
    with (root / ".env").open("a", encoding="utf-8") as env:
        env.write("ORACLE_PASSWORD=known\n")
    code, out, err = add(*BRONZE[:3], "refunds", *BRONZE[4:], "--relation", "refunds")
    assert code == 0, err
    assert out.endswith("\nNext:\n  polster setup   install what it needs\n")
    assert {path for path in tree(root) if "refunds" in path} == set(tree(root)) - set(after)
    assert before["src/orchestration/assets/silver/__init__.py"] in after.values()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (BRONZE, 2, "error: --template oracle needs --relation"),
        (
            (*BRONZE, "--relation", "x", "--mode", "odd"),
            2,
            "error: --mode is none of full, new: odd",
        ),
        (
            (*BRONZE, "--relation", "x", "--sheet", "y"),
            2,
            "error: --sheet belongs to --template exc",
        ),
        ((*BRONZE, "--relation", "bad"), 2, "error: --relation is none\nhint: give another one"),
        (
            (*BRONZE, "--relation", "boom"),
            4,
            "error: template oracle: the plugin polster-plugin-oracle failed: RuntimeError: no",
        ),
        (
            ("--layer", "silver", "--name", "a", "--template", "mart", "--relation", "x"),
            2,
            (
                "error: --template mart writes gold assets only\n"
                "hint: for silver there is  append, function, history, latest"
            ),
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    add: Add, root: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    before = tree(root)
    ended, out, err = add(*args)
    assert (ended, out) == (code, "")
    assert said in err
    assert tree(root) == before


def test_flags_that_clash_are_named_and_the_rest_works(add: Add) -> None:
    """The plugin is left out: for who asks for it, that is an error."""
    clash = "template zkafka: --name is a flag of polster add-asset itself"
    source = "polster-plugin-kafka (polster-plugin-kafka 0.3.0)"
    code, _, err = add("--layer", "bronze", "--name", "x")
    assert (code, err) == (0, f"warning: plugin {source}: {clash}\n")
    code, _, err = add("--layer", "bronze", "--name", "y", "--template", "zkafka")
    assert code == 4
    assert f"the plugin {source} is not used: {clash}" in err
