"""`polster upgrade` as a command: what it refuses, what it says, how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

import polster_core
from polster_core.project import manifest
from polster_core.testing.projects import Ran, polster, tree
from polster_core.upgrade.report import RESPONSE_SCHEMA

VERSION = polster_core.__version__


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of this Polster, to copy."""
    folder = tmp_path_factory.mktemp("new")
    polster(folder, "init", "shop", "--no-setup", "--no-git").succeeded()
    return folder / "shop"


@pytest.fixture
def shop(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "shop"))


def change_manifest(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    known = json.loads((root / manifest.PATH).read_text())
    change(known)
    (root / manifest.PATH).write_text(json.dumps(known))


def make_old(root: Path) -> None:
    """Make an upgrade of the project change one shared file and one of the runtime."""
    for path in ("src/orchestration/definitions.py", "src/polster_runtime/errors.py"):
        text = (root / path).read_bytes() + b"# old\n"
        (root / path).write_bytes(text)

        def note(known: dict[str, Any], path: str = path, text: bytes = text) -> None:
            known["files"][path]["sha256"] = manifest.digest(text)

        change_manifest(root, note)


def refused(done: Ran, reason: str, hint: str = "") -> None:
    assert done.code == 1, done.out
    assert done.err.startswith(f"error: {reason}"), done.err
    assert hint in done.err
    assert done.out == ""


def test_a_new_project_has_nothing_to_do(shop: Path) -> None:
    before = tree(shop)
    for flags in ((), ("--check",), ("--dry-run",)):
        done = polster(shop, "upgrade", *flags).succeeded()
        assert done.out == f"polster {VERSION}\nnothing to do\n"
    assert tree(shop) == before


@pytest.mark.parametrize(
    "flags",
    [
        ("--cicd", "github-actions"),
        ("--cicd", "azure-devops,gitlab-ci", "--schedule", "5 4 * * *"),
        ("--storage", "adls", "--adls-account-name", "acc", "--cicd", "github-actions"),
        ("--no-sample-assets",),
        ("--runtime", "package", "--storage", "adls"),
    ],
    ids=" ".join,
)
def test_whatever_was_chosen_a_new_project_has_nothing_to_do(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git", *flags).succeeded()
    done = polster(tmp_path / "shop", "upgrade", "--check")
    assert (done.code, done.out) == (0, f"polster {VERSION}\nnothing to do\n")


def test_what_was_added_later_is_looked_after_as_well(shop: Path) -> None:
    for command in (
        "storage add adls",
        "add-asset --layer bronze --name payments --template mysql --table payments",
        "add-asset --layer bronze --name rates --template api --url https://example.org",
        "add-cicd github-actions",
    ):
        polster(shop, *command.split()).succeeded()
    known = manifest.load(shop)
    assert {"storage-adls", "connectors", "cicd-github"} <= set(known.plugins)
    assert set(known.templates) == {"api", "mysql"}
    assert known.templates["mysql"].answers["table"] == "payments"
    recorded = {str(path) for path in known.files}
    assert {
        "docs/azure.md",
        ".github/workflows/polster.yml",
        "src/polster_runtime/sources/mysql/__init__.py",
        "src/polster_runtime/storage/backends/adls/__init__.py",
    } <= recorded
    done = polster(shop, "upgrade", "--check")
    assert done.code == 0, done.out

    lost = ("docs/azure.md", "src/polster_runtime/sources/mysql/source.py")
    for path in lost:
        (shop / path).unlink()
    done = polster(shop, "upgrade").succeeded()
    assert (shop / lost[1]).exists()
    assert not (shop / lost[0]).exists(), "what the team deleted stays away"


def test_check_and_json(shop: Path) -> None:
    make_old(shop)
    before = tree(shop)
    checked = polster(shop, "upgrade", "--check")
    assert checked.code == 3
    assert "updated  src/orchestration/definitions.py" in checked.out
    assert "run  polster upgrade" in checked.out
    found = polster(shop, "upgrade", "--check", "--json")
    assert found.code == 3
    document = json.loads(found.out)
    jsonschema.validate(document, RESPONSE_SCHEMA, cls=jsonschema.Draft202012Validator)
    assert (document["needed"], document["applied"]) == (True, False)
    assert [(one["path"], one["verdict"], one["owner"]) for one in document["files"]] == [
        ("src/orchestration/definitions.py", "updated", "shared"),
        ("src/polster_runtime/errors.py", "updated", "polster"),
    ]
    assert tree(shop) == before
    done = json.loads(polster(shop, "upgrade", "--json").succeeded().out)
    jsonschema.validate(done, RESPONSE_SCHEMA, cls=jsonschema.Draft202012Validator)
    assert (done["needed"], done["applied"]) == (True, True)
    assert polster(shop, "upgrade", "--check").code == 0


def test_the_schema_is_printed_without_a_project(tmp_path: Path) -> None:
    done = polster(tmp_path, "upgrade", "--response-schema").succeeded()
    assert json.loads(done.out) == RESPONSE_SCHEMA
    jsonschema.Draft202012Validator.check_schema(RESPONSE_SCHEMA)


def test_dry_run_shows_the_diff_of_what_a_team_reviews(shop: Path) -> None:
    make_old(shop)
    before = tree(shop)
    done = polster(shop, "upgrade", "--dry-run").succeeded()
    assert "--- a/src/orchestration/definitions.py" in done.out
    assert "-# old" in done.out
    assert "--- a/src/polster_runtime" not in done.out
    assert done.out.endswith("nothing was changed (--dry-run)\n")
    assert tree(shop) == before


def test_a_dirty_tree_is_refused_unless_forced(shop: Path) -> None:
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm a"):
        subprocess.run(["git", *command.split()], cwd=shop, check=True)
    polster(shop, "upgrade").succeeded()
    make_old(shop)
    before = tree(shop)
    refused(polster(shop, "upgrade"), "git has uncommitted changes", "--force")
    assert tree(shop) == before
    assert polster(shop, "upgrade", "--check").code == 3
    polster(shop, "upgrade", "--dry-run").succeeded()
    done = polster(shop, "upgrade", "--force").succeeded()
    assert "warning: git has uncommitted changes" in done.err


def test_a_project_of_a_newer_polster_is_changed_by_no_command(shop: Path) -> None:
    change_manifest(shop, lambda known: known.update(polster="9.1.0"))
    before = tree(shop)
    for command in (
        "upgrade",
        "upgrade --check",
        "upgrade --force",
        "add-asset --layer bronze --name new",
        "rename-asset bronze_example bronze_new",
        "remove-asset --layer bronze --name customers --force",
        "add-cicd github-actions",
        "storage add adls",
    ):
        refused(
            polster(shop, *command.split()),
            f"this project was written by Polster 9.1.0, and this is {VERSION}; nothing was",
            "pip install --upgrade polster",
        )
    assert tree(shop) == before
    found = polster(shop, "validate")
    assert found.code == 1
    assert "this project was written by Polster 9.1.0" in found.out


def test_without_a_manifest(shop: Path) -> None:
    (shop / manifest.PATH).unlink()
    reason = ".polster/manifest.json is missing: nothing says how the project was generated"
    refused(polster(shop, "upgrade"), reason, "git checkout .polster/manifest.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ".polster/manifest.json cannot be read"),
        ("<<<<<<< HEAD\n", ".polster/manifest.json cannot be read"),
        ("[]", ".polster/manifest.json cannot be read"),
        ('{"format": 1}', ".polster/manifest.json has no 'polster'"),
        ('{"format": "x", "polster": "0.1.0"}', ".polster/manifest.json cannot be read"),
        (
            '{"format": 1, "polster": "0.1.0", "name": "shop", "answers": 3}',
            ".polster/manifest.json cannot be read",
        ),
    ],
)
def test_a_manifest_by_hand_that_is_none(shop: Path, text: str, reason: str) -> None:
    (shop / manifest.PATH).write_text(text)
    before = tree(shop)
    refused(polster(shop, "upgrade"), reason, "git checkout .polster/manifest.json")
    assert tree(shop) == before


def test_a_manifest_by_hand_that_says_little(shop: Path) -> None:
    """It is enough: what is as it would be generated is fine, and all else is a conflict."""
    (shop / "README.md").write_text("ours\n")
    text = {"format": 1, "polster": VERSION, "name": "shop", "answers": {}, "plugins": {}}
    (shop / manifest.PATH).write_text(json.dumps({**text, "files": {}}))
    done = json.loads(polster(shop, "upgrade", "--json").succeeded().out)
    assert {one["path"] for one in done["files"] if one["verdict"] == "conflict"} >= {"README.md"}
    assert (shop / "README.md").read_text() == "ours\n"
    assert polster(shop, "upgrade", "--check").code == 0


def test_half_of_the_runtime_is_gone(shop: Path) -> None:
    folder = shop / "src/polster_runtime"
    before = tree(folder)
    for path in sorted(folder.rglob("*.py"))[::2]:
        path.unlink()
    found = polster(shop, "validate")
    assert found.code == 1
    assert "is missing from the runtime" in found.out
    assert "polster upgrade  brings it back" in found.out
    done = polster(shop, "upgrade").succeeded()
    assert "updated  src/polster_runtime/" in done.out
    assert tree(folder) == before
    polster(shop, "validate").succeeded()


def test_validate_names_an_edited_runtime_and_upgrade_restores_it(shop: Path) -> None:
    path = shop / "src/polster_runtime/errors.py"
    before = path.read_text()
    path.write_text(before + "# ours\n")
    (shop / "src/polster_runtime/ours.py").write_text("")
    found = polster(shop, "validate").succeeded().out
    assert "src/polster_runtime/errors.py:1:1" in found
    assert "was edited, and the next upgrade replaces it" in found
    assert "bring Polster's text back with  polster upgrade" in found
    assert "is not Polster's, and lies in its runtime" in found
    done = polster(shop, "upgrade").succeeded()
    assert "conflict  src/polster_runtime/errors.py" in done.out
    assert path.read_text() == before
    kept = shop / ".polster/replaced/src/polster_runtime/errors.py.old"
    assert kept.read_text() == before + "# ours\n"
    assert (shop / "src/polster_runtime/ours.py").exists()


def test_missing_code_is_named(shop: Path) -> None:
    for path in ("workspace.yaml", "run_polster.py", "src/core/storage.py"):
        (shop / path).unlink()
    found = polster(shop, "validate").out
    for path in ("workspace.yaml", "run_polster.py", "src/core/storage.py"):
        assert f"{path}:1:1" in found
    assert found.count("was generated, and is missing") == 3


def test_from_one_delivery_to_the_other_and_back(shop: Path) -> None:
    command = "add-asset --layer bronze --name p --template mysql --table p"
    polster(shop, *command.split()).succeeded()
    before = tree(shop)
    done = polster(shop, "upgrade", "--runtime", "package").succeeded()
    assert "removed  src/polster_runtime/" in done.out
    assert not (shop / "src/polster_runtime").exists()
    assert '"polster-runtime>=' in (shop / "pyproject.toml").read_text()
    assert polster(shop, "upgrade", "--check").code == 0
    polster(shop, "validate").succeeded()

    polster(shop, "upgrade", "--runtime", "vendored").succeeded()
    after = tree(shop)
    noted = {".polster/base.zip", ".polster/manifest.json", "pyproject.toml"}
    assert {path for path in {*before, *after} if before.get(path) != after.get(path)} <= noted
    assert "polster-runtime" not in after["pyproject.toml"]
    assert 'mysql = "polster_runtime.sources.mysql"' in after["pyproject.toml"]
    assert polster(shop, "upgrade", "--check").code == 0


def test_both_deliveries_at_once(shop: Path) -> None:
    text = (shop / "pyproject.toml").read_text()
    mixed = text.replace("dependencies = [", 'dependencies = [\n    "polster-runtime>=0.2",', 1)
    (shop / "pyproject.toml").write_text(mixed)
    before = tree(shop)
    refused(
        polster(shop, "upgrade"),
        "this project has its runtime twice: in src/polster_runtime, and as the dependency",
        "polster upgrade --runtime vendored",
    )
    assert tree(shop) == before
    polster(shop, "upgrade", "--runtime", "vendored").succeeded()
    assert (shop / "pyproject.toml").read_text() == text
    (shop / "pyproject.toml").write_text(mixed)
    polster(shop, "upgrade", "--runtime", "package").succeeded()
    assert not (shop / "src/polster_runtime").exists()
    assert (shop / "pyproject.toml").read_text().count("polster-runtime") == 1


def test_a_plugin_that_has_a_part_in_it_is_missing(shop: Path) -> None:
    change_manifest(shop, lambda known: known["plugins"].update(s3="polster-plugin-s3 1.2.0"))
    before = tree(shop)
    done = polster(shop, "upgrade")
    assert done.code == 4
    assert "the plugin s3 (polster-plugin-s3 1.2.0) has written a part of this" in done.err
    assert "pip install polster-plugin-s3" in done.err
    assert tree(shop) == before


def test_a_pyproject_that_cannot_be_read(shop: Path) -> None:
    (shop / "pyproject.toml").write_text("<<<<<<< ours\n")
    refused(polster(shop, "upgrade"), "pyproject.toml cannot be read", "polster validate")


def test_outside_of_a_project(tmp_path: Path) -> None:
    refused(polster(tmp_path, "upgrade"), f"{tmp_path} is not in a Polster project")


def test_flags_that_contradict_each_other(shop: Path) -> None:
    done = polster(shop, "upgrade", "--check", "--dry-run")
    assert (done.code, "cannot be combined" in done.err) == (2, True)
