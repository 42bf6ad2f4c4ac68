"""Every validator that there is for each platform, over the combinations of options.

Each also finds what is wrong with a broken file, so that silence means something.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest
import yaml

from tests.cicd import tools
from tests.cicd.golden import STORAGES, pipeline
from tests.cicd.steps import git, machine_variables

SCHEDULES = ("0 0 * * *", "30 4 * * 1-5")
COMBINATIONS = [
    *zip(product(STORAGES, ("", "API_TOKEN")), (*SCHEDULES, *SCHEDULES[::-1]), strict=True)
]
"""Storage, a secret of one's own, schedule: each two of them in each combination."""
YAMLLINT = """
extends: default
rules:
  comments: {min-spaces-from-content: 1}
  document-start: disable
  line-length: {max: 125}
  truthy: {check-keys: false}
"""
GITHUB = ".github/workflows/polster.yml"
CHECKS = ".github/workflows/polster-checks.yml"
AZURE, GITLAB = "azure-pipelines.yml", ".gitlab-ci.yml"

Command = Callable[[Sequence[Path]], Sequence[str | Path]]


def beside(name: str, *args: str) -> Command:
    """Return what makes the command line of a program that pip installed."""
    program = Path(sys.executable).with_name(name)
    return lambda paths: [program, *args, *paths]


def schema(name: str, *more: str) -> Command:
    return beside("check-jsonschema", "--builtin-schema", name, *more)


VALIDATORS: dict[str, tuple[Command, list[str]]] = {
    "github schema": (schema("vendor.github-workflows"), [GITHUB, CHECKS]),
    "github timeouts": (schema("custom.github-workflows-require-timeout"), [GITHUB, CHECKS]),
    "dependabot schema": (schema("vendor.dependabot"), [".github/dependabot.yml"]),
    "github language service": (tools.github, [GITHUB, CHECKS]),
    "zizmor": (beside("zizmor", "--offline", "--no-progress", "--pedantic"), [".github"]),
    "azure language service": (tools.azure, [AZURE]),
    "gitlab schema": (
        schema("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
        [GITLAB],
    ),
    "gitlab-ci-local": (tools.gitlab_list, [GITLAB]),
    "yamllint": (beside("yamllint", "--strict", "-d", YAMLLINT), [".github", AZURE, GITLAB]),
    "shellcheck of steps": (beside("shellcheck", "-s", "bash"), ["steps"]),
}
BROKEN = {
    "github schema": (GITHUB, "    runs-on: ubuntu-24.04\n", ""),
    "github timeouts": (CHECKS, "    timeout-minutes: 15\n", ""),
    "dependabot schema": (".github/dependabot.yml", "version: 2", "version: two"),
    "github language service": (GITHUB, "needs.checks.result", "need.checks.result"),
    "zizmor": (CHECKS, "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7"),
    "azure language service": (AZURE, "testResultsFiles", "testResultFiles"),
    "gitlab schema": (GITLAB, "interruptible: true", "interruptible: perhaps"),
    "gitlab-ci-local": (GITLAB, "needs: [materialize]", "needs: [materialise]"),
    "yamllint": (AZURE, "pool:\n  vm", "pool:\n     vm"),
    "shellcheck of steps": (GITHUB, '"$RUNNER_TEMP/data"', "$RUNNER_TEMP/data"),
}


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory, npm_tools: Path) -> list[Path]:
    """Return a folder with the files of all platforms for each combination of options."""
    del npm_tools
    return [
        write_tree(tmp_path_factory.mktemp("tree"), storage, secret, schedule)
        for (storage, secret), schedule in COMBINATIONS
    ]


def write_tree(folder: Path, storage: str, secret: str, schedule: str) -> Path:
    for platform in ("github-actions", "azure-devops", "gitlab-ci"):
        deployed = "docker" if storage == "local" else ""
        for file in pipeline(platform, storage, schedule=schedule, pipeline_image=deployed):
            text = file.content.decode()
            if secret:
                text = re.sub(
                    r"^ +ALERT_URLS: .*\n",
                    lambda line: line[0] + line[0].replace("ALERT_URLS", secret),
                    text,
                    flags=re.MULTILINE,
                )
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).write_text(text, encoding="utf-8")
    git("init", "-q", cwd=folder)
    git("remote", "add", "origin", "https://gitlab.example/acme/shop.git", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "start", cwd=folder)
    return folder


def validate(name: str, folders: Sequence[Path]) -> list[str]:
    """Return what a validator does not like."""
    command, wanted = VALIDATORS[name]
    paths = [path for folder in folders for one in wanted for path in found(folder, one)]
    if name == "gitlab-ci-local":  # which looks at one folder
        return [problem for path in paths for problem in complaints(command([path]), path.parent)]
    return complaints(command(paths), folders[0])


def found(folder: Path, path: str) -> list[Path]:
    return write_steps(folder) if path == "steps" else [folder / path]


def complaints(command: Sequence[str | Path], cwd: Path) -> list[str]:
    done = subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env=machine_variables(HOME=str(cwd)),
        capture_output=True,
        encoding="utf-8",
    )
    return [done.stdout + done.stderr] if done.returncode else []


def write_steps(folder: Path) -> list[Path]:
    """Write each shell step of each pipeline into a file of its own."""
    (folder / "steps").mkdir(exist_ok=True)
    texts = [
        text
        for path in (GITHUB, CHECKS, AZURE, GITLAB)
        for text in scripts(yaml.safe_load((folder / path).read_text(encoding="utf-8")))
    ]
    assert len(texts) > 15
    written = []
    for number, text in enumerate(texts):
        # What the platform puts in before the shell sees it.
        plain = re.sub(r"\$\{\{.*?\}\}|\$\([A-Z][\w.]+\)", "value", text)
        written.append(folder / "steps" / f"{number:02}.sh")
        written[-1].write_text(plain, encoding="utf-8")
    return written


def scripts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"run", "bash", "inlineScript"} and isinstance(value, str):
                yield value
            elif key in {"script", "after_script"} and isinstance(value, list):
                yield "\n".join(value)
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for value in node:
            yield from scripts(value)


@pytest.mark.slow
@pytest.mark.parametrize("name", VALIDATORS)
def test_finds_nothing(name: str, trees: list[Path]) -> None:
    assert validate(name, trees) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", VALIDATORS)
def test_finds_what_is_broken(name: str, tmp_path: Path, npm_tools: Path) -> None:
    del npm_tools
    folder = write_tree(tmp_path, "local", "", SCHEDULES[0])
    path, good, bad = BROKEN[name]
    text = (folder / path).read_text(encoding="utf-8")
    assert good in text
    (folder / path).write_text(text.replace(good, bad, 1), encoding="utf-8")
    assert validate(name, [folder])
