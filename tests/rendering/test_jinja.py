"""Templates become files."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import jinja2
import pytest

from polster_core.rendering import project_files, render, tree
from polster_core.rendering.context import distribution, merged, variables
from polster_core.types import EnvVar, NewFile, ProjectContext


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Lay out an import package with templates of every kind."""
    root = tmp_path / "rendered_here"
    for path, content in {
        "__init__.py": b"",
        "templates/dot_gitignore.jinja": b"data/\n",
        "templates/dot_dagster/dagster.yaml.jinja": b"name: {{ name }}\r\nnext: 1\r\n",
        "templates/src/__init__.py.jinja": b"",
        "templates/src/run_{layer}_{name}.py.jinja": b"x = {{ name | quoted }}\n",
        "templates/persist.sh.jinja": b"#!/bin/sh\necho {{ name }}",
        "templates/pixel.png": b"\x89PNG\r\n\0{{ name }}",
        "templates/__pycache__/x.pyc": b"no",
        "templates/missing/x.jinja": b"{{ nobody }}",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, root.name, raising=False)
    return "rendered_here"


def test_names_and_contents(package: str) -> None:
    (path,) = __import__(package).__path__
    (Path(path) / "templates/missing/x.jinja").unlink()  # what fails has a test of its own
    found = tree(package, "templates", {"layer": "gold", "name": 'a"b'}, origin="me")

    def file(path: str, text: str | bytes, *, executable: bool = False) -> NewFile:
        return NewFile(path=PurePosixPath(path), text=text, origin="me", executable=executable)

    assert list(found) == [
        file(".dagster/dagster.yaml", 'name: a"b\nnext: 1\n'),
        file(".gitignore", "data/\n"),
        file("persist.sh", '#!/bin/sh\necho a"b', executable=True),
        file("pixel.png", b"\x89PNG\r\n\0{{ name }}"),
        file("src/__init__.py", ""),
        file('src/run_gold_a"b.py', 'x = "a\\"b"\n'),
    ]


def test_what_is_unknown_is_an_error(package: str) -> None:
    where = "rendered_here/templates/missing/x.jinja, line 1: 'nobody' is undefined"
    with pytest.raises(jinja2.UndefinedError, match=where):
        render(package, "templates/missing/x.jinja", {})
    with pytest.raises(KeyError, match="layer"):
        list(tree(package, "templates/src", {"name": "x"}))
    with pytest.raises(jinja2.UndefinedError, match="nobody"):
        list(project_files(package, "templates/missing", ProjectContext(name="x", storage="y")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n{% if %}", "line 2: Expected an expression, got 'end of statement block'"),
        ("\n\n{{ 1/0 }}", "line 3: ZeroDivisionError: division by zero"),
        ("{{ name|shout }}", "line 1: No filter named 'shout'."),
        ("{% include 'rendered_here:y' %}", "line 1: FileNotFoundError: "),
    ],
)
def test_g11_errors_name_the_file_and_the_line(text: str, said: str, package: str) -> None:
    (path,) = __import__(package).__path__
    name = f"{len(text)}.jinja"  # what was read once is not read again
    (Path(path) / name).write_text(text)
    with pytest.raises(jinja2.TemplateError) as raised:
        render(package, name, {"name": "x"})
    assert str(raised.value).startswith(f"rendered_here/{name}, {said}")


def test_variables() -> None:
    team = EnvVar(name="TEAM", help="Who.")
    context = ProjectContext(
        name="My_Shop",
        storage="s3",
        answers={"sample-assets": "true"},
        env=(team,),
        requirements=('S3fs>=2026; sys_platform == "linux"', "polars>=2.1,<3"),
    )
    found = variables(context)
    assert (found["name"], found["distribution"]) == ("My_Shop", "my-shop")
    assert (found["samples"], found["env"], found["cicd"]) == (True, (team,), "none")
    requirements = found["requirements"]
    assert isinstance(requirements, tuple)
    assert requirements[-2:] == ("S3fs>=2026; sys_platform == 'linux'", "sqlalchemy>=2,<3")
    assert len(set(requirements)) == len(requirements)


def test_merged_and_distribution() -> None:
    assert merged(["b", " a ", "b", "A"]) == ("a", "b")
    assert distribution("A.b__c--D") == "a-b-c-d"
