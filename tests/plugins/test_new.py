"""`polster plugins new`: what it writes installs, passes its own tests, and works in a project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import polster_core
from polster_core.scaffold.plugin import KINDS
from polster_core.testing import InstallPlugin, RunPolster, polster, tree
from tests import machine
from tests.conftest import names
from tests.generated import warm
from tests.generated.conftest import *  # noqa: F403 - its fixtures are ours as well
from tests.generated.projects import Generated, only_one, told

ROOT = Path(__file__).parents[2]

TAKEN = f"is offered by polster {polster_core.__version__} already\n"


class Desk:
    """A folder with a plugin of each kind, and an environment where all of them are installed."""

    def __init__(self, folder: Path, runtime: Path) -> None:
        """Know the folder; `runtime` is a Python that has what projects need."""
        self.folder = folder
        self.runtime = runtime
        self.python = folder / "venv/bin/python"
        self.warm = runtime

    def build(self) -> None:
        """Write the plugins with the command, and install them as their READMEs say."""
        for kind in KINDS:
            polster(self.folder, "plugins", "new", f"my-{kind}", "--kind", kind).succeeded()
        self._uv("venv", "--quiet", "--python", sys.executable, self.folder / "venv")
        editable = [word for kind in KINDS for word in ("-e", self.plugin(kind))]
        self._uv("pip", "install", "--quiet", "-p", self.python, ROOT, "pytest", *editable)

    def plugin(self, kind: str) -> Path:
        """Return the folder of the plugin."""
        return self.folder / f"polster-plugin-my-{kind}"

    def run(self, *args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python."""
        ours = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [self.python, *args],
            check=False,
            cwd=cwd,
            env={**ours, "PROJECT_PYTHON": str(self.warm)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )

    @staticmethod
    def _uv(*args: str | Path) -> None:
        done = machine.run([sys.executable, "-m", "uv", *args])
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def desk(shared: Path, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Make it once for all workers."""
    made, ready = Desk(shared / "new-plugins", runtime), shared / "new-plugins.ready"
    made.warm = tmp_path_factory.mktemp("warm") / "python"
    warm.stand_in(made.warm, runtime, runtime)
    with only_one(shared / "new-plugins.lock"):
        if not ready.exists():
            shutil.rmtree(made.folder, ignore_errors=True)
            made.folder.mkdir()
            made.build()
            ready.touch()
    return made


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass(desk: Desk, kind: str) -> None:
    """All of them, with data and with a source where there is one; none is skipped."""
    tests = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    if KINDS[kind]:
        done = desk.run(*tests, cwd=desk.plugin(kind))
    else:  # only projects know what it is, so it is tested in the environment of one
        path = os.pathsep.join((str(desk.plugin(kind)), str(ROOT / "runtime")))
        command: list[str | Path] = [desk.runtime, *tests]
        done = machine.run(command, cwd=desk.plugin(kind), env={"PYTHONPATH": path})
    assert done.returncode == 0, told(done)
    assert " passed in " in done.stdout
    assert "skipped" not in done.stdout
    assert "warning" not in done.stdout


@pytest.mark.slow
def test_they_work_in_a_project(desk: Desk, tmp_path: Path) -> None:
    """Chosen, asked for, run; then the project's own tests, and the rule, which has its say."""
    store = tmp_path / "store"
    chosen = ("--storage", "my-storage", "--my-storage-root", str(store), "--cicd", "my-cicd")
    init = ("-m", "polster_core", "init", "shop", "--no-setup", "--no-git", "--no-sample-assets")
    done = desk.run(*init, *chosen, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), told(done)
    shop = Generated(tmp_path / "shop", desk.runtime)
    assert machine.run(["sh", "-n", shop.root / "ci/my_cicd.sh"]).returncode == 0
    add = ("-m", "polster_core", "add-asset", "--layer", "bronze")
    for name, template, flag in (
        ("counts", "my-asset-template", "--rows=7"),
        ("orders", "my-connector", "--table=orders"),
    ):
        done = desk.run(*add, "--name", name, "--template", template, flag, cwd=shop.root)
        assert done.returncode == 0, told(done)
    done = shop.core("bronze_counts")
    assert done.returncode == 0, told(done)
    assert len(list(store.glob("bronze/counts/*.parquet"))) == 1
    done = shop.core("bronze_orders", env={"MY_CONNECTOR_DATABASE": str(tmp_path / "none.db")})
    assert done.returncode == 1
    assert "MY_CONNECTOR_DATABASE" in done.stderr
    done = shop.pytest()
    assert done.returncode == 0, told(done)
    asset = shop.root / "src/orchestration/assets/bronze/run_bronze_counts.py"
    lines = asset.read_text().splitlines(keepends=True)
    asset.write_text("".join(line for line in lines[1:] if '"""' not in line))
    done = desk.run("-m", "polster_core", "validate", cwd=shop.root)
    assert "my-rule  bronze_counts is not described" in done.stdout
    done = desk.run("-m", "polster_core", "executor", "add", "my-executor", cwd=shop.root)
    assert done.returncode == 0, told(done)
    heard = desk.plugin("listener") / "polster_my_listener"
    shutil.copytree(heard, shop.root / "src" / heard.name)
    pyproject = shop.root / "pyproject.toml"
    group = '[project.entry-points."polster_runtime.listeners"]'
    own = f'{group}\nmine = "polster_my_listener.listener"\n'
    pyproject.write_text(f"{pyproject.read_text('utf-8')}\n{own}", encoding="utf-8")
    env = {"EXECUTOR": "my-executor", "MY_CONNECTOR_DATABASE": str(tmp_path / "none.db")}
    done = shop.run(env=env)
    assert done.returncode == 1, told(done)
    assert "bronze_counts" in done.stdout
    assert "  bronze_orders:" in done.stderr, "the listener says what failed"
    done = desk.run("-m", "polster_core", "my-command", "Ada", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "hello, Ada\n")


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), tuple(KINDS)], ids=" ".join)
def test_it_is_linted_formatted_and_typed(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    flags = [word for kind in kinds for word in ("--kind", kind)]
    ran = polster(tmp_path, "plugins", "new", "abc", *flags).succeeded()
    assert ran.err == ""
    folder = tmp_path / "polster-plugin-abc"
    for tool in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        done = machine.python("-m", *tool, cwd=folder)
        assert done.returncode == 0, done.stdout
    if len(kinds) > 1:
        env = {"MYPYPATH": str(ROOT / "runtime")}  # as if polster-runtime were installed
        done = machine.python("-m", "mypy", "--no-incremental", cwd=folder, env=env)
        assert done.returncode == 0, done.stdout


def test_what_is_written_and_said(run_polster: RunPolster, tmp_path: Path) -> None:
    ran = run_polster("plugins", "new", "polster-plugin-money", "--kind", "rule")
    assert (ran.code, ran.err) == (0, "")
    assert sorted(tree(tmp_path)) == [
        f"polster-plugin-money/{path}"
        for path in (
            ".github/workflows/test.yml",
            ".gitignore",
            "LICENSE",
            "README.md",
            "polster_plugin_money/__init__.py",
            "polster_plugin_money/py.typed",
            "pyproject.toml",
            "tests/conftest.py",
            "tests/test_plugin.py",
            "tests/test_rule.py",
        )
    ]
    assert ran.out.endswith(
        "\nNext:\n"
        "  cd polster-plugin-money\n"
        '  pip install -e ".[dev]"      beside Polster\n'
        "  pytest\n"
        "  polster plugins show money\n"
    )


def test_a_dry_run(run_polster: RunPolster, tmp_path: Path) -> None:
    ran = run_polster("plugins", "new", "money", "--kind", "rule", "--dry-run")
    assert ran.code == 0
    assert "+class TestRule(RuleContract):" in ran.out
    assert ran.out.endswith("nothing was changed (--dry-run)\n")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("args", "code", "err"),
    [
        (
            ["Money!", "--kind", "rule"],
            2,
            (
                "'Money!' cannot be a plugin's name: use up to 30 lower-case letters, digits and "
                "dashes, and start with a letter\nhint: for example  money\n"
            ),
        ),
        (["", "--kind", "rule"], 2, "'' cannot be a plugin's name: use up to 30 lower-case"),
        (["../x", "--kind", "rule"], 2, "'../x' cannot be a plugin's name: use up to 30 lower-"),
        (["x" * 31, "--kind", "rule"], 2, f"'{'x' * 31}' cannot be a plugin's name: use up to 30"),
        (
            ["x", "--kind", "magic"],
            2,
            (
                "invalid value for '--kind': 'magic' is not one of 'storage', 'executor', 'cicd', "
                "'deployment', 'connector', 'asset-template', 'rule', 'check', 'column', 'option', "
                "'command', 'secrets', 'listener'\n"
                "hint: see  polster plugins new --help\n"
            ),
        ),
        (["x"], 2, "missing option '--kind'. Choose from: storage, executor, cicd, deployment, "),
        (["--kind", "rule"], 2, "missing argument 'NAME'\nhint: see  polster plugins new --help\n"),
        (
            ["storage-adls", "--kind", "rule"],
            2,
            (
                "a plugin called storage-adls is installed already\n"
                "hint: choose another name; see  polster plugins\n"
            ),
        ),
        (
            ["adls", "--kind", "storage"],
            2,
            f"storage adls {TAKEN}",
        ),
        (
            ["csv", "--kind", "connector"],
            2,
            f"template csv {TAKEN}",
        ),
        (["runtime", "--kind", "storage"], 2, "there is a package polster_runtime already\n"),
        (["core", "--kind", "connector"], 2, "there is a package polster_core already\n"),
        (["init", "--kind", "command"], 2, "init is one of Polster's own commands\nhint: choose"),
        (["mine", "--kind", "rule"], 2, "a plugin called mine is installed already\n"),
        (
            ["there", "--kind", "rule"],
            1,
            (
                "polster-plugin-there/ exists and is not empty; nothing was changed\n"
                "hint: choose another name\n"
            ),
        ),
        (
            ["file", "--kind", "rule"],
            1,
            "polster-plugin-file exists and is not a directory; nothing",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_clear_line(
    run_polster: RunPolster,
    install_plugin: InstallPlugin,
    tmp_path: Path,
    args: list[str],
    code: int,
    err: str,
) -> None:
    install_plugin("polster-plugin-mine", "", entry_points={"mine": "polster_plugin_mine"})
    (tmp_path / "polster-plugin-there").mkdir()
    (tmp_path / "polster-plugin-there/mine.txt").touch()
    (tmp_path / "polster-plugin-file").touch()
    before = written(tmp_path)
    ran = run_polster("plugins", "new", *args)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"error: {err}")
    assert ran.err.count("\n") <= 2
    assert written(tmp_path) == before


def written(root: Path) -> list[str]:
    """Return every path below a folder but what Python has compiled."""
    return [name for name in names(root) if "__pycache__" not in name]


def test_an_empty_folder_is_filled(run_polster: RunPolster, tmp_path: Path) -> None:
    (tmp_path / "polster-plugin-x").mkdir()
    run_polster("plugins", "new", "x", "--kind", "cicd").succeeded()
    assert (tmp_path / "polster-plugin-x/pyproject.toml").exists()
