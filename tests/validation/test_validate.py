"""`polster validate`: what it prints, and the rules that teams add."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from polster_core.plugins import manager
from polster_core.plugins.installed import installed
from polster_core.project.locate import Project
from tests.conftest import Install
from tests.handmade import PYPROJECT, polster, shop, write_project

SHOP = {"bronze_orders": [], "silver_orders": ["bronze_orders"], "gold_revenue": ["silver_orders"]}
REVENUE = "src/orchestration/assets/gold/run_gold_revenue.py"
# As @microsoft/jest-sarif 1.0.0-beta.0 (MIT) has it.
SARIF = Path(__file__).parents[1] / "schemas" / "sarif-2.1.0-rtm.5.json"


def files() -> dict[str, str]:
    """Return a project with an error, a warning, and something to fix."""
    text = shop(SHOP)
    text[REVENUE] = text[REVENUE].replace("run_silver_orders", "run_bronze_orders")
    text["src/core/gold_revenue.py"] = text["src/core/gold_revenue.py"].replace(
        "class Contract", "class Promise"
    )
    text["src/orchestration/assets/bronze/__init__.py"] = '"""None."""\n\n__all__ = []\n'
    return text


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "shop", files())


def test_p9_a_file_that_is_in_a_folder_of_its_own_is_registered_there(tmp_path: Path) -> None:
    """Whether it was moved there, or is new."""
    root = write_project(tmp_path / "shop", shop(SHOP)).root
    package = root / REVENUE.replace("run_gold_revenue", "__init__")
    moved = root / REVENUE.replace("run_gold_revenue", "sales/run_gold_revenue")
    moved.parent.mkdir()
    (root / REVENUE).rename(moved)
    ran = polster(root, "validate")
    assert f"{REVENUE} is {moved.relative_to(root).as_posix()} now" in ran.out
    expected = "from orchestration.assets.gold.sales.run_gold_revenue import run_gold_revenue"
    for text in (package.read_text(), '"""The gold assets."""\n\n__all__ = []\n'):
        package.write_text(text)
        polster(root, "validate", "--fix")
        assert expected in package.read_text().splitlines()
        assert "registr" not in polster(root, "validate").out
    polster(root, "validate", "--fix")
    assert package.read_text().count("run_gold_revenue") == 3


def test_the_text(project: Project) -> None:
    ran = polster(project.root, "validate")
    assert (ran.code, ran.out, ran.err) == (1, TEXT, "")


CORE, BRONZE = "src/core/gold_revenue.py", "src/orchestration/assets/bronze"
TEXT = f"""\
{CORE + ":15:5":57}  missing-contract  \
warning: gold_revenue has no contract: nothing checks its rows
{"":57}                    hint: class Contract(dy.Schema) above aggregate()
{BRONZE}/run_bronze_orders.py:15:5  unregistered      \
run_bronze_orders is not imported in {BRONZE}/__init__.py: Dagster does not load it
{REVENUE + ":12:11":57}  layer-order       \
gold_revenue depends on bronze_orders; gold may depend on silver only
{"":57}                    hint: depend on silver_orders
3 problems (2 errors, 1 warning), 1 fixable with `--fix`
"""


def test_nothing_to_say(tmp_path: Path) -> None:
    ran = polster(write_project(tmp_path, shop(SHOP)).root, "validate")
    assert (ran.code, ran.out, ran.err) == (0, "no problems in 3 assets\n", "")


def test_warnings_alone_do_not_fail(tmp_path: Path) -> None:
    text = shop(SHOP)
    text["src/core/gold_revenue.py"] = files()["src/core/gold_revenue.py"]
    ran = polster(write_project(tmp_path, text).root, "validate")
    assert ran.code == 0
    assert ran.out.endswith("\n1 problem (1 warning)\n")


def test_json_is_one_document(project: Project) -> None:
    ran = polster(project.root, "validate", "--json")
    assert json.loads(ran.out)["problems"][2] == {
        "rule": "layer-order",
        "severity": "error",
        "path": "src/orchestration/assets/gold/run_gold_revenue.py",
        "line": 12,
        "column": 11,
        "message": "gold_revenue depends on bronze_orders; gold may depend on silver only",
        "hint": "depend on silver_orders",
        "fix": None,
    }
    assert ran == polster(project.root, "validate", "--format", "json")


def unescaped(line: str) -> dict[str, str]:
    """Read a workflow command as GitHub's runner does.

    https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    """
    command, _, data = line.removeprefix("::").partition("::")
    kind, _, properties = command.partition(" ")
    found = {"kind": kind, "message": data}
    found |= dict(pair.split("=", 1) for pair in properties.split(","))
    for old, new in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        found = {name: text.replace(old, new) for name, text in found.items()}
    return found


def test_github_annotations(project: Project) -> None:
    ran = polster(project.root, "validate", "--format", "github")
    assert ran.code == 1
    assert ran.out.splitlines()[2] == (
        "::error file=src/orchestration/assets/gold/run_gold_revenue.py,line=12,col=11,"
        "title=layer-order::gold_revenue depends on bronze_orders; gold may depend on silver only "
        "(depend on silver_orders)"
    )
    assert ran.err == "3 problems (2 errors, 1 warning), 1 fixable with `--fix`\n"


def test_github_annotations_escape_what_would_end_them(tmp_path: Path) -> None:
    text = shop({"bronze_orders": []})
    odd = "src/orchestration/assets/bronze/100%,a:b.py"
    text[odd] = (
        "import dagster as dg\n@dg.asset(group_name='50%\\n::x')\ndef run_bronze_odd(): ...\n"
    )
    ran = polster(write_project(tmp_path, text).root, "validate", "--format", "github")
    found = [unescaped(line) for line in ran.out.splitlines()]
    assert {one["file"] for one in found} == {odd}
    assert {'the group of bronze_odd is 50%\n::x (group_name="bronze")'} <= {
        one["message"] for one in found
    }


def test_paths_are_those_of_the_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    project = write_project(tmp_path / "pipelines" / "shop", files())
    ran = polster(project.root, "validate", "--format", "github")
    assert ran.out.startswith("::warning file=pipelines/shop/src/core/gold_revenue.py,")
    sarif = json.loads(polster(project.root, "validate", "--format", "sarif").out)
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "pipelines/shop/src/core/gold_revenue.py"


def test_sarif_follows_its_schema(project: Project) -> None:
    printed = json.loads(polster(project.root, "validate", "--format", "sarif").out)
    validator = jsonschema.Draft4Validator(json.loads(SARIF.read_text(encoding="utf-8")))
    validator.validate(printed)
    (run,) = printed["runs"]
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("missing-contract", "warning"),
        ("unregistered", "error"),
        ("layer-order", "error"),
    ]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    run["results"][0]["level"] = "bad"
    assert not validator.is_valid(printed)


def test_fix_says_what_it_mended_and_what_is_left(project: Project) -> None:
    ran = polster(project.root, "validate", "--fix")
    assert ran.code == 1
    assert ran.out.startswith(
        "  update  src/orchestration/assets/bronze/__init__.py  register run_bronze_orders\n"
    )
    assert ran.out.endswith("\n2 problems (1 error, 1 warning)\n")
    assert "run_bronze_orders" in (project.assets / "bronze" / "__init__.py").read_text()


def test_fix_keeps_stdout_to_the_document(project: Project) -> None:
    ran = polster(project.root, "validate", "--fix", "--json")
    assert len(json.loads(ran.out)["problems"]) == 2
    assert ran.err.startswith("  update  src/orchestration/assets/bronze/__init__.py")


def test_a_dry_run_shows_and_changes_nothing(project: Project) -> None:
    package = project.assets / "bronze" / "__init__.py"
    before = package.read_bytes()
    ran = polster(project.root, "validate", "--fix", "--dry-run")
    assert ran.code == 0
    assert '+    "run_bronze_orders",' in ran.out
    assert ran.out.endswith("nothing was changed (--dry-run)\n")
    assert package.read_bytes() == before
    assert polster(project.root, "validate", "--dry-run").code == 2


def test_a_fix_that_cannot_be_made_is_said(project: Project) -> None:
    package = project.assets / "bronze" / "__init__.py"
    package.write_text("__all__ = [name for name in dir()]\n")
    ran = polster(project.root, "validate", "--fix")
    assert ran.code == 1
    assert "cannot register run_bronze_orders" in ran.err
    assert package.read_text() == "__all__ = [name for name in dir()]\n"


def with_settings(project: Project, text: str) -> None:
    (project.root / "pyproject.toml").write_text(PYPROJECT + text, encoding="utf-8")


def test_a_rule_can_be_ignored(project: Project) -> None:
    with_settings(project, '[tool.polster.validate]\nignore = ["layer-order"]\n')
    ran = polster(project.root, "validate")
    assert "layer-order" not in ran.out
    assert "2 problems" in ran.out


def test_a_rule_can_be_ignored_for_files(project: Project) -> None:
    ignores = '[tool.polster.validate.per-file-ignores]\n"src/core/*" = ["missing-contract"]\n'
    with_settings(project, ignores)
    ran = polster(project.root, "validate")
    assert "missing-contract" not in ran.out
    assert ran.out.splitlines()[-1].startswith("2 problems (2 errors) (1 ignored)")


def test_a_rule_that_does_not_exist_cannot_be_ignored(project: Project) -> None:
    with_settings(project, '[tool.polster.validate]\nignore = ["layer-ordre"]\n')
    assert polster(project.root, "validate").err == (
        "warning: [tool.polster.validate] ignores layer-ordre, which is no rule. "
        "Did you mean layer-order?\n"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ignore = 1", "tool.polster.validate.ignore must be a list of rule names"),
        ("per-file-ignores = []", "tool.polster.validate.per-file-ignores must be a table"),
        (
            'per-file-ignores = {"x" = "y"}',
            'tool.polster.validate.per-file-ignores."x" must be a list',
        ),
    ],
)
def test_malformed_settings_are_an_error(project: Project, text: str, reason: str) -> None:
    with_settings(project, f"[tool.polster.validate]\n{text}\n")
    ran = polster(project.root, "validate")
    assert ran.code == 1
    assert ran.err.startswith(f"error: pyproject.toml: {reason}")


RULE = """
from polster_core.hookspecs import hookimpl
from polster_core.types import Problem, ValidationRule

def described(pipeline):
    for asset in pipeline.assets:
        if asset.name == "revenue":
            yield Problem.at(asset.definitions[0].place, f"{asset} makes money")
    BROKEN

@hookimpl
def polster_validation_rules():
    yield ValidationRule(name="money", summary="Makes none.", check=described)
"""

Use = Callable[[str], None]


@pytest.fixture
def use(install: Install, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Install a plugin for the commands of this test."""

    def load(source: str) -> None:
        found = manager.Plugins()
        points = [*entry_points(group="polster"), *install("polster-plugin-money", source)]
        found.load(points)
        monkeypatch.setattr("polster_core.cli.commands.validate.plugins_here", lambda: found)

    return load


def problems(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(polster(project.root, "validate", "--json").out)[
        "problems"
    ]
    return found


def test_a_teams_rule_is_a_plugin_of_ten_lines(project: Project, use: Use) -> None:
    use(RULE.replace("BROKEN", ""))
    (found,) = [one for one in problems(project) if one["rule"] == "money"]
    assert (found["path"], found["line"], found["message"]) == (
        REVENUE,
        16,
        "gold_revenue makes money",
    )
    listed = polster(project.root, "validate", "--rules").out
    assert listed.splitlines()[-1].split(maxsplit=3) == [
        "money",
        "polster-plugin-money",
        "0.3.0",
        "Makes none.",
    ]


def test_a_rule_that_raises_is_named_and_the_others_count(project: Project, use: Use) -> None:
    use(RULE.replace("BROKEN", "1 / 0"))
    found = problems(project)
    assert len(found) == 5
    assert {
        "rule": "money",
        "severity": "error",
        "path": "pyproject.toml",
        "line": 1,
        "column": 1,
        "message": "the rule money of polster-plugin-money 0.3.0 failed: "
        "ZeroDivisionError: division by zero",
        "hint": "report it to the plugin's author; ignore money meanwhile",
        "fix": None,
    } in found


def test_a_rule_that_yields_nonsense_is_named(project: Project, use: Use) -> None:
    use(RULE.replace("BROKEN", "yield 'oops'"))
    (said,) = [one["message"] for one in problems(project) if one["path"] == "pyproject.toml"]
    assert said == (
        "the rule money of polster-plugin-money 0.3.0 failed: it yielded 'oops', not a Problem"
    )


def test_the_rules_are_listed_with_what_they_ask_for(project: Project) -> None:
    lines = polster(project.root, "validate", "--rules").out.splitlines()
    assert lines[0].split() == ["RULE", "FROM", "ASKS", "FOR"]
    assert len(lines) == 1 + len(installed().validation_rules())
    assert lines == [lines[0], *sorted(lines[1:])]
