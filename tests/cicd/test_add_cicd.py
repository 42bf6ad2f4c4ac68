"""`polster add-cicd`, and `polster init --cicd`."""

from __future__ import annotations

import os
import sys
import tomllib
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pexpect
import pytest

from polster_core.environment import own_install
from polster_core.project import manifest
from polster_core.testing.projects import polster, tree
from tests import machine
from tests.cicd.golden import FOLDER
from tests.cli.test_prompts import PLAIN_TERMINAL
from tests.conftest import names

PLAIN = ("--no-setup", "--no-git", "--no-sample-assets")
FILES = {
    "github-actions": {
        ".github/dependabot.yml",
        ".github/workflows/polster-checks.yml",
        ".github/workflows/polster.yml",
    },
    "azure-devops": {"azure-pipelines.yml"},
    "gitlab-ci": {".gitlab-ci.yml"},
}
SHARED = {"ci/data.py", "ci/run.py", "ci/validate.py"}


def init(folder: Path, *args: str) -> Path:
    done = machine.polster_here("init", "shop", *PLAIN, *args, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "shop"


def written(root: Path) -> set[str]:
    """Return the files of pipelines that a project has."""
    known = {*SHARED, *(path for paths in FILES.values() for path in paths)}
    return known & set(names(root))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Make a project without a pipeline."""
    return init(tmp_path)


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        (("--cicd", "github"), "github-actions"),
        (("--platform", "github"), "github-actions"),
        (("--platform", "gitlab"), "gitlab-ci"),
        (("--platform", "azure-devops"), "azure-devops"),
        (("--cicd", "azure"), "azure-devops"),
        (("--cicd", "gitlab,github-actions"), "gitlab-ci,github-actions"),
        (("--cicd", "gitlab-ci", "--cicd", "azure-devops"), "gitlab-ci,azure-devops"),
        (("--cicd", "none"), "none"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_init_takes_either_name_and_several(
    typed: tuple[str, ...], chosen: str, tmp_path: Path
) -> None:
    root = init(tmp_path, *typed)
    expected = {path for name in chosen.split(",") for path in FILES.get(name, ())}
    assert written(root) == expected | (SHARED if expected else set())
    assert manifest.load(root).answers["cicd"] == chosen


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    for typed, words in {
        ("--cicd", "gihtub"): "there is no cicd gihtub. Did you mean github?",
        ("--platform", "gitlba"): "there is no cicd gitlba. Did you mean gitlab?",
        ("--cicd", "github,"): "there is no cicd ",
        ("--cicd", "github", "--schedule", "daily"): "'daily' is no cron line: it has 1 fields",
        ("--schedule", "0 4 * * *"): "--schedule belongs to a pipeline",
        ("--data-branch", "data"): "--data-branch belongs to a pipeline",
        ("--cicd", "github", "--schedule", "*/2"): "'*/2' is no cron line: it has 1 fields",
        ("--cicd", "github", "--data-branch", "a b"): "'a b' is no name for the branch",
    }.items():
        done = machine.polster_here("init", "shop", *PLAIN, *typed, cwd=tmp_path)
        assert done.returncode == 2, typed
        assert words in done.stderr
        assert "hint: " in done.stderr
    assert names(tmp_path) == []


def test_the_schedule_and_the_branch_are_in_the_file_and_remembered(tmp_path: Path) -> None:
    own = ("--schedule", "30  4 * * 1-5", "--data-branch", "lake/data")
    root = init(tmp_path, "--cicd", "github", *own)
    text = (root / ".github/workflows/polster.yml").read_text(encoding="utf-8")
    assert '    - cron: "30 4 * * 1-5"\n' in text
    assert "  POLSTER_DATA_BRANCH: lake/data # " in text
    done = machine.polster_here("add-cicd", "azure-devops", cwd=root)
    assert done.returncode == 0, done.stderr
    text = (root / "azure-pipelines.yml").read_text(encoding="utf-8")
    assert '  - cron: "30 4 * * 1-5"\n' in text
    assert "    value: lake/data\n" in text
    assert manifest.load(root).answers["cicd"] == "github-actions,azure-devops"


def test_adds_to_a_project_what_init_would_have_written(shop: Path) -> None:
    done = machine.polster_here("add-cicd", "gitlab", cwd=shop / "src")
    assert (done.returncode, done.stderr.startswith("note: the pipeline leaves ")) == (0, True)
    assert "  create  .gitlab-ci.yml\n  create  ci/data.py\n" in done.stdout
    assert ".polster/" not in done.stdout
    assert written(shop) == {".gitlab-ci.yml", *SHARED}
    golden = FOLDER / "gitlab-ci" / "local" / ".gitlab-ci.yml"
    assert (shop / ".gitlab-ci.yml").read_bytes() == golden.read_bytes()
    assert manifest.load(shop).files.keys() >= {PurePosixPath(".gitlab-ci.yml")}
    before = tree(shop)
    done = machine.polster_here("add-cicd", "gitlab-ci", cwd=shop)
    assert done.stdout.startswith("nothing to change\n")
    assert tree(shop) == before


def test_dry_run_changes_nothing(shop: Path) -> None:
    before = tree(shop)
    done = machine.polster_here("add-cicd", "github,azure-devops", "--dry-run", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "  create  azure-pipelines.yml\n" in done.stdout
    assert done.stdout.count("+name: Polster checks\n") == 1
    assert ".polster/" not in done.stdout
    assert done.stdout.endswith("nothing was changed (--dry-run)\n")
    assert tree(shop) == before


def test_a_file_of_somebody_else_is_shown_and_left_alone(shop: Path) -> None:
    own = "pool: {name: ours}\n"
    (shop / "azure-pipelines.yml").write_text(own, encoding="utf-8")
    before = tree(shop)
    done = machine.polster_here("add-cicd", "azure-devops", cwd=shop)
    assert done.returncode == 1
    assert "-pool: {name: ours}\n" in done.stdout
    assert done.stderr == (
        "error: azure-pipelines.yml is not as Polster would write it; nothing was changed\n"
        "hint: --force replaces what is there\n"
    )
    assert tree(shop) == before
    done = machine.polster_here("add-cicd", "azure-devops", "--force", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "  update  azure-pipelines.yml" in done.stdout
    assert own not in (shop / "azure-pipelines.yml").read_text(encoding="utf-8")


def test_in_a_terminal_it_asks(shop: Path) -> None:
    (shop / ".gitlab-ci.yml").write_text("stages: [mine]\n", encoding="utf-8")
    for answer, changed in (("\r", False), ("y\r", True)):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "polster_core", "add-cicd"],
            cwd=str(shop),
            env={**os.environ, **PLAIN_TERMINAL},
            encoding="utf-8",
            dimensions=(60, 120),
            timeout=120,
        )
        child.expect_exact("Which platform?")
        child.send("jj\r")
        child.expect_exact("-stages: [mine]")
        child.expect_exact("Replace .gitlab-ci.yml?")
        child.send(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        text = (shop / ".gitlab-ci.yml").read_text(encoding="utf-8")
        assert (text != "stages: [mine]\n") is changed


def test_variables_that_came_later_come_in_when_it_is_run_again(tmp_path: Path) -> None:
    """A file that nobody edited is brought up to date without --force."""
    root = init(tmp_path, "--cicd", "github")
    done = machine.polster_here("storage", "add", "adls", cwd=root)
    assert done.returncode == 0, done.stderr
    (root / ".env").write_text("STORAGE_BACKEND=adls\n", encoding="utf-8")
    example = (root / ".env.example").read_text(encoding="utf-8")
    filled = example.replace("ADLS_ACCOUNT_NAME=", "ADLS_ACCOUNT_NAME=mylake")
    (root / ".env.example").write_text(
        filled.replace("ADLS_CONTAINER=", "ADLS_CONTAINER=raw"), encoding="utf-8"
    )
    done = machine.polster_here("add-cicd", "github", cwd=root)
    assert done.returncode == 0, done.stderr
    assert "  update  .github/workflows/polster.yml  " in done.stdout
    golden = FOLDER / "github-actions" / "adls" / ".github/workflows/polster.yml"
    found = (root / ".github/workflows/polster.yml").read_bytes()
    assert found.decode() == golden.read_text(encoding="utf-8")
    with (root / ".env.example").open("a", encoding="utf-8") as file:
        file.write("\nCRM_HOST=\n# CRM_PASSWORD=\nmy_key=\n")
    done = machine.polster_here("add-cicd", "github", "--dry-run", cwd=root)
    assert "+          CRM_PASSWORD: ${{ secrets.CRM_PASSWORD }}\n" in done.stdout
    assert "CRM_HOST" not in done.stdout, "it comes with all variables"


def test_c4_a_connector_brings_the_lines_of_its_secrets(tmp_path: Path) -> None:
    """Also into a pipeline that somebody has edited; what was not edited counts as such again."""
    root = init(tmp_path, "--cicd", "github,azure,gitlab")
    github, azure = root / ".github/workflows/polster.yml", root / "azure-pipelines.yml"
    azure.write_text(f"# ours\n{azure.read_text('utf-8')}", encoding="utf-8")
    (root / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    added = ("add-asset", "--name", "crm", "--layer", "bronze", "--template", "mysql")
    done = machine.polster_here(*added, "--table", "orders", cwd=root)
    assert done.returncode == 0, done.stderr
    assert "renew uv.lock, without which pipelines fail" in done.stdout
    secret = "MYSQL_" + "PASSWORD"
    model = "          ALERT_URLS: ${{ secrets.ALERT_URLS }}\n"
    assert model + model.replace("ALERT_URLS", secret) in github.read_text("utf-8")
    text = azure.read_text("utf-8")
    assert text.startswith("# ours\n")
    assert f"{secret}: $({secret})\n" in text
    assert secret not in (root / ".gitlab-ci.yml").read_text("utf-8"), "it has all variables"
    known = manifest.load(root)
    path = PurePosixPath(".github/workflows/polster.yml")
    assert known.wrote(path, github.read_bytes())
    assert not known.wrote(PurePosixPath("azure-pipelines.yml"), azure.read_bytes())


def test_c4_an_edited_guide_stays_and_blocks_nothing(tmp_path: Path) -> None:
    root = init(tmp_path, "--cicd", "github")
    guide = root / "docs/cicd/github-actions.md"
    guide.write_text("Ours.\n", encoding="utf-8")
    done = machine.polster_here("add-cicd", "github", "--schedule", "5 5 * * *", cwd=root)
    assert done.returncode == 0, done.stderr
    assert "docs/cicd/github-actions.md stays as you have edited it" in done.stdout
    assert "5 5 * * *" in (root / ".github/workflows/polster.yml").read_text("utf-8")
    assert guide.read_text("utf-8") == "Ours.\n"


def test_needs_a_project_and_a_platform(tmp_path: Path, shop: Path) -> None:
    done = machine.polster_here("add-cicd", "github", cwd=tmp_path)
    assert done.returncode == 1
    assert "is not in a Polster project" in done.stderr
    done = machine.polster_here("add-cicd", cwd=shop)
    assert (done.returncode, done.stderr) == (
        2,
        (
            "error: missing argument PLATFORM\n"
            "hint: there is  azure-devops, github-actions, gitlab-ci\n"
        ),
    )
    (shop / ".polster" / "manifest.json").unlink()
    done = machine.polster_here("add-cicd", "github", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert not (shop / ".polster" / "manifest.json").exists()


def test_c5_pipelines_install_the_polster_that_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`init` and `add-cicd` pin it where an installer has noted it; else they say what lacks."""
    root = tmp_path / "shop"
    done = polster(tmp_path, "init", "shop", *PLAIN, "--cicd", "github").succeeded()
    assert "`install` in [tool.polster] says what to install: docs/cicd/github" in done.err
    pin = "git+https://git.example/polster@" + "0f" * 20
    monkeypatch.setattr(own_install, "pinned", lambda: pin)
    done = polster(root, "add-cicd", "gitlab").succeeded()
    assert "install" not in done.err
    pyproject = root / "pyproject.toml"
    assert tomllib.loads(pyproject.read_text("utf-8"))["tool"]["polster"]["install"] == pin
    monkeypatch.setattr(own_install, "pinned", lambda: "")
    known = manifest.load(root)
    (root / manifest.PATH).write_bytes(manifest.file(replace(known, polster="0.1.9")).content)
    done = polster(root, "upgrade").succeeded()
    assert f"`install` in [tool.polster] says {pin}: name this Polster" in done.err
    assert pin in pyproject.read_text("utf-8"), "what is not known better stays"
