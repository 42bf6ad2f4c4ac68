"""Three repositories as teams have them, and a project that starts in each: added, run, checked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from polster_core.testing.projects import tree, write
from tests.generated.projects import Generated, told
from tests.handmade import polster

Files = Mapping[str, str]
HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
DEFS: Files = {
    "pyproject.toml": f"""\
[project]
name = "jaffle"
version = "0.1.0"
requires-python = ">=3.11,<3.14"
dependencies = [
    "dagster==1.13.*",  # as in production
    "dagster-duckdb",
]

[dependency-groups]
dev = ["dagster-webserver", "dagster-dg-cli"]

{HATCH}
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "jaffle"
""",
    "README.md": "# Jaffle\n",
    "src/jaffle/__init__.py": "",
    "src/jaffle/definitions.py": "from dagster import definitions, load_from_defs_folder\n",
    "src/jaffle/defs/__init__.py": "",
    "src/jaffle/defs/orders.py": "import dagster as dg\n\n\n@dg.asset\ndef orders() -> None: ...\n",
    "tests/__init__.py": "",
    "tests/test_orders.py": "def test_orders() -> None: ...\n",
    ".gitignore": "# Python\n__pycache__/\n*.py[cod]\n.venv\n.env\n",
}
UV: Files = {
    "pyproject.toml": """\
[project]
name = "all"
version = "0"
requires-python = ">=3.11"
dependencies = ["api", "models"]

[tool.uv.sources]
api = { workspace = true }
models = { workspace = true }

[tool.uv.workspace]
members = [
    "api",
    "models",  # shared
]
""",
    "api/pyproject.toml": f'[project]\nname = "api"\nversion = "0"\n\n{HATCH}',
    "api/src/api/__init__.py": "",
    "models/pyproject.toml": f'[project]\nname = "models"\nversion = "0"\n\n{HATCH}',
    "models/src/models/__init__.py": "",
    ".gitignore": ".venv/\n",
}
DBT: Files = {
    "pyproject.toml": """\
[project]
name = "warehouse"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["dagster-dbt", "dbt-duckdb>=1.9"]

[project.optional-dependencies]
dev = ["pytest"]

[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[tool.setuptools.packages.find]
where = ["src"]

[tool.ruff]
line-length = 120
""",
    "Dockerfile": "FROM python:3.12-slim\nCOPY . .\nRUN pip install .\n",
    "docker-compose.yml": "services:\n  dagster:\n    build: .\n",
    "workspace.yaml": "load_from:\n  - python_module: warehouse.definitions\n",
    "dbt/dbt_project.yml": "name: warehouse\nprofile: warehouse\n",
    "dbt/models/orders.sql": "select 1 as order_id\n",
    "src/warehouse/__init__.py": "",
    "src/warehouse/core/__init__.py": "",
    "src/core/__init__.py": "RETRIES = 3\n",
    ".env": "DBT_PASSWORD=hunter2\n",
    ".gitignore": "target/\nlogs/\n.env\n",
    "tests/conftest.py": "import pytest\n",
}
SHAPES = {"defs": (DEFS, ""), "uv": (UV, "lake"), "dbt": (DBT, "")}
PACKAGES = {"dbt": ("--package", "lake")}
LONGER = {"defs": {"build"}, "uv": set[str](), "dbt": {"dependencies", "dev"}}
"""Lists of one line that get longer: all else that git shows is new lines."""


def git(root: Path, *args: str) -> str:
    known = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    return subprocess.run(
        ["git", *known, *args], cwd=root, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(shape: str, tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    write(root, SHAPES[shape][0])
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    return root


@pytest.mark.parametrize("shape", SHAPES)
def test_a_project_starts_in_it_and_works(shape: str, repository: Path, runtime: Path) -> None:
    before = tree(repository)
    sub = SHAPES[shape][1]
    more = PACKAGES.get(shape, ())
    polster(repository, "init", sub or ".", *more, "--no-setup").succeeded()
    root = repository / sub
    removed = [
        line[1:]
        for line in git(repository, "diff", "--unified=0").splitlines()
        if line.startswith("-") and not line.startswith("---")
    ]
    assert {line.partition(" ")[0] for line in removed} <= LONGER[shape]
    changed = {path for path, text in tree(repository).items() if before.get(path, text) != text}
    merged = {"pyproject.toml", ".gitignore", ".env", "workspace.yaml"}
    assert {path for path in changed if not path.startswith(".git/")} <= merged
    polster(root, "add-asset", "--layer", "bronze", "--name", "visits").succeeded()
    found = json.loads(polster(root, "validate", "--format", "json").out)["problems"]
    assert {one["rule"] for one in found} == {"stub"}
    project = Generated(root, runtime)
    done = project.run("--select", "+gold_example")
    assert done.returncode == 0, told(done)
    assert "4 assets, 4 succeeded" in done.stdout
    assert polster(root, "upgrade", "--check", "--force").code == 0
    git(repository, "add", "--all")
    known = git(repository, "ls-files").splitlines()
    assert not [path for path in known if path.endswith((".parquet", ".env"))]
