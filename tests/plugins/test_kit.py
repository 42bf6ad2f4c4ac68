"""The kit itself: its fixtures, and that its contracts find what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

from polster_core.testing import (
    AssetTemplateContract,
    CheckGolden,
    CicdContract,
    InstallPlugin,
    MakeProject,
    PluginContract,
    RuleContract,
    RunPolster,
    StorageBackendContract,
)
from polster_core.testing.offers import init

HEAD = """
import random, time
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import *

def files(*contents):
    def yielding(context):
        for path, text in contents:
            yield NewFile(path=PurePosixPath(path), text=text(context) if callable(text) else text)
    return yielding

"""
STORAGE = """
@hookimpl
def polster_storage_backends():
    part = RuntimePart(package="polster_lake", requirement="polster-plugin-lake", storage="lake")
    yield StorageBackend(name="lake", summary={summary}, options=({options}), env=({env}),
                         runtime=(part,), files=files({more}))
"""
CICD = """
@hookimpl
def polster_cicd_generators():
    yield CicdGenerator(name="lake", summary="CI", files=files({more}))
"""
TEMPLATE = """
def core(context):
    yield NewFile(path=context.asset.core_file, text={text})

@hookimpl
def polster_asset_templates():
    yield AssetTemplate(name="lake", summary="A lake", layers=("bronze",), files=core)
"""
RULE = """
def check(pipeline):
    {body}

@hookimpl
def polster_validation_rules():
    yield ValidationRule(name="lake", summary="Lakes.", check=check)
"""
ENTRY = {"polster-plugin-lake": "polster_plugin_lake"}
KEY = '"key", help="The key.", secret=True, env="LAKE_KEY"'


def storage(*, summary: str = '"A lake"', options: str = "", env: str = "", more: str = "") -> str:
    return HEAD + STORAGE.format(summary=summary, options=options, env=env, more=more)


def lake(source: str, runtime: str = "def connect(): ...\n") -> dict[str, str]:
    """Return the files of the distribution: what Polster imports, and what projects import."""
    return {"polster_plugin_lake.py": source, "polster_lake/__init__.py": runtime}


def template(text: str) -> str:
    return HEAD + TEMPLATE.format(text=text)


class Lake:
    """What the contracts of these tests are about."""

    name = "lake"
    plugin = "polster-plugin-lake"


class Storage(Lake, StorageBackendContract):
    """A backend."""


class Cicd(Lake, CicdContract):
    """A pipeline."""


class Plugin(Lake, PluginContract):
    """A plugin."""


class Template(Lake, AssetTemplateContract):
    """A kind of asset."""


class Rule(Lake, RuleContract):
    """A rule, and a project without gold that breaks it."""

    broken = MappingProxyType({"src/core/gold_revenue.py": None})


TEST = "def extract(): ...\\n"
FAULTS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a summary of two lines": (
        storage(summary='"A\\nlake"'),
        lambda _: Storage().test_its_words_fit_into_a_line(),
        "'A\\nlake'",
    ),
    "an answer that nobody keeps": (
        storage(options='Option(name="zone", help="Which.", env="LAKE_ZONE"),'),
        lambda _: Storage().test_its_options_are_for_variables_that_it_has(),
        "zone",
    ),
    "a secret that its variable does not keep": (
        storage(options=f"Option(name={KEY}),", env='EnvVar(name="LAKE_KEY", help="The key."),'),
        lambda _: Storage().test_its_options_are_for_variables_that_it_has(),
        "LAKE_KEY is not secret",
    ),
    "a secret with a default": (
        storage(env='EnvVar(name="LAKE_KEY", help="The key.", secret=True, default="x"),'),
        lambda _: Storage().test_a_secret_has_no_default(),
        "LAKE_KEY",
    ),
    "a secret that is written down": (
        storage(
            options=f"Option(name={KEY}),",
            env='EnvVar(name="LAKE_KEY", help="The key.", secret=True),',
            more='("notes.txt", lambda context: context.values["LAKE_KEY"] + "\\n")',
        ),
        lambda folder: Storage().test_the_project_has_it(folder),
        "notes.txt",
    ),
    "chance": (
        storage(more='("notes.txt", lambda _: f"{random.random()}\\n")'),
        lambda folder: Storage().test_the_same_answers_write_the_same_project(folder),
        "notes.txt",
    ),
    "half a file": (
        HEAD + CICD.format(more='("ci.yml", "no line end")'),
        lambda folder: Cicd().test_the_project_has_the_pipeline(folder),
        "ci.yml does not end with a line end",
    ),
    "nothing": (
        HEAD + CICD.format(more=""),
        lambda folder: Cicd().test_the_project_has_the_pipeline(folder),
        "it wrote no file",
    ),
    "heavy": (
        "import jinja2\n" + storage(),
        lambda _: Plugin().test_importing_it_is_light_and_silent(),
        "jinja2",
    ),
    "loud": (
        "print('hello')\n" + storage(),
        lambda folder: Plugin().test_it_is_active(folder),
        "importing it printed hello",
    ),
    "broken": (
        "import nowhere",
        lambda folder: Plugin().test_it_is_active(folder),
        "No module named 'nowhere'",
    ),
    "not Python": (
        template("'def extract(:\\n'"),
        lambda folder: Template().test_the_project_has_the_asset(ready(folder)),
        "invalid syntax",
    ),
    "another function": (
        template("'def transform(): ...\\n'"),
        lambda folder: Template().test_the_project_has_the_asset(ready(folder)),
        "transform",
    ),
    "blind": (
        HEAD + RULE.format(body="return ()"),
        lambda folder: Rule().test_it_finds_what_breaks_it(folder),
        "nothing was found in `broken`",
    ),
    "zealous": (
        HEAD + RULE.format(body="yield Problem(path=PurePosixPath('pyproject.toml'), message='x')"),
        lambda folder: Rule().test_it_finds_nothing_where_nothing_is(folder),
        "pyproject.toml",
    ),
    "beyond the end": (
        HEAD
        + RULE.format(
            body="yield Problem(path=PurePosixPath('pyproject.toml'), message='x', line=99)"
        ),
        lambda folder: Rule().test_it_finds_what_breaks_it(folder),
        "99",
    ),
    "fragile": (
        HEAD + RULE.format(body="return [1 / 0]"),
        lambda folder: Rule().test_it_survives_what_people_type(folder),
        "ZeroDivisionError",
    ),
    "writing": (
        HEAD + RULE.format(body="(pipeline.root / 'x').touch(); return ()"),
        lambda folder: Rule().test_it_reads_and_does_not_write(folder),
        "x",
    ),
}


def ready(folder: Path) -> Path:
    """Return a project for an asset."""
    init(folder, "--no-sample-assets").succeeded()
    return folder / "shop"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_contracts_find_it(
    fault: str, install_plugin: InstallPlugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, contract, said = FAULTS[fault]
    install_plugin("polster-plugin-lake", lake(source), entry_points=ENTRY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site/polster-plugin-lake"))
    (tmp_path / "work").mkdir()
    with pytest.raises((AssertionError, SyntaxError)) as caught:
        contract(tmp_path / "work")
    assert said in str(caught.value)


def test_the_contracts_pass_what_is_right(install_plugin: InstallPlugin, tmp_path: Path) -> None:
    """So what the others are found out by is what is wrong with them."""
    install_plugin("polster-plugin-lake", lake(storage()), entry_points=ENTRY)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    Storage().test_the_project_has_it(tmp_path / "a")
    Storage().test_the_same_answers_write_the_same_project(tmp_path / "b")


def test_a_backend_without_connect_is_found(install_plugin: InstallPlugin, tmp_path: Path) -> None:
    install_plugin("polster-plugin-lake", lake(storage(), "def open(): ...\n"), entry_points=ENTRY)
    with pytest.raises(AssertionError, match=r"polster_lake has no connect\(\)"):
        Storage().test_the_project_has_it(tmp_path)


def test_golden_trees(
    check_golden: CheckGolden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actual, expected = tmp_path / "actual", tmp_path / "expected"
    for folder in (actual, expected):
        (folder / "src").mkdir(parents=True)
    (actual / "src/a.py").write_text("one\ntwo\n")
    (actual / "extra").touch()
    (expected / "src/a.py").write_text("one\nthree\n")
    (expected / "gone").touch()
    with pytest.raises(AssertionError) as caught:
        check_golden(actual, expected)
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert lines[1:4] == [
        "missing: gone",
        "extra: extra",
        "different: src/a.py:2: expected 'three', found 'two'",
    ]
    monkeypatch.setenv("POLSTER_UPDATE_GOLDEN", "1")
    check_golden(actual, expected)
    monkeypatch.delenv("POLSTER_UPDATE_GOLDEN")
    check_golden(actual, expected)
    assert (expected / "src/a.py").read_text() == "one\ntwo\n"


def test_a_project_from_a_dict(make_project: MakeProject, run_polster: RunPolster) -> None:
    project = make_project(
        {"docs/x.md": "    # X\n"}, assets={"silver_a": ["bronze_b"], "bronze_b": []}
    )
    assert project.read("docs/x.md") == "# X\n"
    project.polster("validate").succeeded()
    project.write({"src/core/bronze_b.py": ""})
    ran = run_polster("validate", cwd=project.root)
    assert ran.code == 1
    assert "src/core/bronze_b.py" in project.tree()
    with pytest.raises(AssertionError, match="exit code 1"):
        ran.succeeded()


def test_what_is_installed_is_gone_after_the_test(
    install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    """Twice in one test, too: the newer counts."""
    install_plugin("polster-plugin-lake", lake(storage()), entry_points=ENTRY)
    assert "storage lake" in run_polster("plugins").out
    newer = lake(storage(summary='"Another"'))
    install_plugin("polster-plugin-lake", newer, version="0.2", entry_points=ENTRY)
    assert "polster-plugin-lake 0.2" in run_polster("plugins").out


def test_it_is_gone(run_polster: RunPolster) -> None:
    assert "lake" not in run_polster("plugins").out
