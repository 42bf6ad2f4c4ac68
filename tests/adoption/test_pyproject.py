"""A `pyproject.toml` that is there: what is added to it, and what is refused, in a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from polster_core.adoption.pyproject import merged
from polster_core.errors import PolsterError
from polster_core.model.names import distribution_problem

OURS = b"""\
[project]
name = "lake"
version = "0.1.0"
requires-python = ">=3.11,<3.15"
dependencies = [
    "dagster>=1.13,<1.14",
    "polars>=2.1,<3",
]

[project.optional-dependencies]
dev = ["mypy>=1.15", "pytest>=8.3,<10"]

[project.entry-points."polster_runtime.storage"]
local = "polster_runtime.storage.backends.local"

[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/core", "src/polster_runtime"]

[tool.dagster]
module_name = "orchestration.definitions"

[tool.dg.project]
root_module = "orchestration"

[tool.polster]
version = "0.2.0"

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = [".", "src"]

[tool.ruff]
extend-exclude = ["src/polster_*"]

[tool.ruff.lint]
select = ["E", "F"]
"""
PROJECT = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = [
    "attrs",  # theirs
]
"""


def backend(name: str, more: str = "") -> str:
    return f'{PROJECT}\n[build-system]\nrequires = []\nbuild-backend = "{name}"\n{more}'


def merge(root: Path, text: str) -> dict[str, Any]:
    """Merge, and see that every line of theirs is there, in its order."""
    after = merged(root, text.encode(), OURS).decode()
    rest = iter(after.splitlines())
    for line in text.splitlines():
        assert line in rest or line.rstrip("]") in after, line
    return tomllib.loads(after)


def package(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").touch()


def test_tables_that_are_missing_come_behind_the_last_line(tmp_path: Path) -> None:
    text = PROJECT + "\n[tool.black]\nline-length = 90  # wide\n"
    after = merged(tmp_path, text.encode(), OURS).decode()
    found, ours = tomllib.loads(after), tomllib.loads(OURS.decode())
    assert after.index("[build-system]") > after.index("# wide")
    assert found["project"]["name"] == "app"
    assert found["project"]["requires-python"] == ">=3.11"
    assert found["project"]["dependencies"] == ["attrs", "dagster>=1.13,<1.14", "polars>=2.1,<3"]
    for table in ("build-system",):
        assert found[table] == ours[table]
    assert {**found["tool"], **ours["tool"]} == found["tool"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_stay(tmp_path: Path, newline: str, mark: str) -> None:
    text = (mark + PROJECT).replace("\n", newline).encode()
    after = merged(tmp_path, text, OURS)
    assert after.startswith(text[: text.index(b"dependencies")])
    assert after.count(b"\r\n") == (after.count(b"\n") if newline == "\r\n" else 0)


def test_a_file_with_settings_of_tools_only(tmp_path: Path) -> None:
    found = merge(tmp_path, "[tool.black]\nline-length = 90\n")
    assert found["project"]["name"] == "lake"
    assert found["build-system"]["build-backend"] == "hatchling.build"


def test_a_tool_that_has_settings_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").touch()
    text = (
        f'{PROJECT}\n[tool.ruff]\nline-length = 70\n\n[tool.ruff.lint]\nselect = ["ALL"]\n\n'
        '[tool.dg.project]\nroot_module = "app"\n'
    )
    tool = merge(tmp_path, text)["tool"]
    assert tool["ruff"] == {
        "line-length": 70,
        "extend-exclude": ["src/polster_*"],
        "lint": {"select": ["ALL"]},
    }
    assert tool["dg"] == {"project": {"root_module": "app"}}
    assert {"dagster", "pytest"}.isdisjoint(tool)


def test_lists_get_what_they_lack(tmp_path: Path) -> None:
    text = (
        f'{PROJECT}\n[project.optional-dependencies]\ndev = ["pytest>=9"]\n\n'
        '[tool.pytest.ini_options]\npythonpath = ["src"]\ntestpaths = ["test"]\naddopts = "-x"\n'
    )
    found = merge(tmp_path, text)
    assert found["project"]["optional-dependencies"]["dev"] == ["pytest>=9", "mypy>=1.15"]
    assert found["tool"]["pytest"]["ini_options"] == {
        "pythonpath": ["src", "."],
        "testpaths": ["test", "tests"],
        "addopts": "-x",
    }


@pytest.mark.parametrize(
    ("text", "where", "wanted"),
    [
        (
            backend("hatchling.build", '\n[tool.hatch.build.targets.wheel]\npackages = ["app"]\n'),
            ("tool", "hatch", "build", "targets", "wheel", "packages"),
            ["app", "src/core", "src/polster_runtime"],
        ),
        (
            backend("hatchling.build"),
            ("tool", "hatch", "build", "targets", "wheel", "packages"),
            ["src/app", "src/core", "src/polster_runtime"],
        ),
        (
            backend("uv_build"),
            ("tool", "uv", "build-backend", "module-name"),
            ["app", "core", "polster_runtime"],
        ),
        (backend("setuptools.build_meta"), ("tool", "setuptools"), None),
        (backend("pdm.backend"), ("tool", "pdm"), None),
        (
            backend(
                "poetry.core.masonry.api",
                '\n[tool.poetry]\npackages = [{include = "app", from = "src"}]\n',
            ),
            ("tool", "poetry", "packages"),
            [{"include": name, "from": "src"} for name in ("app", "core", "polster_runtime")],
        ),
    ],
    ids=["hatch-list", "hatch", "uv", "setuptools", "pdm", "poetry"],
)
def test_a_build_backend_takes_the_packages(
    text: str, where: tuple[str, ...], wanted: object, tmp_path: Path
) -> None:
    package(tmp_path, "src/app")
    found: Any = merge(tmp_path, text)
    for key in where:
        found = found.get(key) if found else None
    assert found == wanted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '[project]\nname = "app\n',
            "Illegal character '\\n' (at line 2, column 12)",
        ),
        ('[tool.poetry]\nname = "app"\n', "in [tool.poetry], where only Poetry reads them"),
        ('[tool.uv.workspace]\nmembers = ["a"]\n', "the root of a uv workspace and no project"),
        ("[project]\nversion = '1'\n", "a [project] without a name"),
        ('[project]\nname = "Pydantic"\n', "a package that every project needs has that name"),
        ('[project]\nname = "a"\ndynamic = ["dependencies"]\n', "its dependencies are dynamic"),
        (f"{PROJECT}[tool.uv]\npackage = false\n", "[tool.uv] package = false"),
        (f"{PROJECT}[tool.polster]\n", "has [tool.polster] already"),
        (PROJECT.replace(">=3.11", ">=3.9"), 'requires-python = ">=3.9", and the project needs'),
        (PROJECT.replace(">=3.11", ">=3.15"), 'requires-python = ">=3.15", and the project needs'),
        (PROJECT.replace(">=3.11", "many"), 'requires-python = "many" cannot be read'),
        (
            PROJECT.replace("attrs", "polars<1"),
            "pyproject.toml requires polars<1, Polster requires polars>=2.1,<3, and no version",
        ),
        (backend("flit_core.buildapi"), "it is built with flit_core, which takes no further"),
        (backend("hatchling.build"), "its hatchling has no package that could be found"),
        (
            backend("hatchling.build", '\n[tool.hatch.build]\ninclude = ["a"]\n'),
            "its hatchling chooses files in a way",
        ),
        (backend("setuptools.build_meta"), "its setuptools finds packages by itself"),
        (
            backend("setuptools.build_meta", '\n[tool.setuptools]\npackages = ["app"]\n'),
            "[tool.setuptools] lists its packages one by one",
        ),
        (
            backend("setuptools.build_meta", '\n[tool.setuptools.packages.find]\nwhere = ["x"]\n'),
            "[tool.setuptools.packages.find] does not take all",
        ),
        (backend("uv_build"), "its uv_build has no module"),
        (backend("poetry.core.masonry.api"), "its poetry-core has no list"),
        (backend("pdm.backend"), "its pdm-backend does not take all packages"),
    ],
)
def test_what_cannot_be_merged_is_a_sentence(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PolsterError) as caught:
        merged(tmp_path, text.encode(), OURS)
    assert reason in caught.value.reason
    assert caught.value.hint or "many" in text or "polster" in text


def test_every_reason_is_named_at_once(tmp_path: Path) -> None:
    text = backend("flit_core.buildapi").replace(">=3.11", ">=3.8").replace('"app"', '"rich"')
    with pytest.raises(PolsterError) as caught:
        merged(tmp_path, text.encode(), OURS)
    assert [line.partition(",")[0] for line in caught.value.details] == [
        'pyproject.toml says name = "rich"',
        'pyproject.toml says requires-python = ">=3.8"',
        "pyproject.toml: it is built with flit_core",
    ]
    assert distribution_problem("app") is None
