"""A new project's files: from whom they come, and whom nobody lets spoil them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from polster_core.errors import PluginError
from polster_core.plugins.manager import Plugins
from polster_core.scaffold.project import ProjectRequest, files, relevant
from polster_core.types import NewFile
from tests.conftest import Install

SKELETON = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import NewFile

@hookimpl
def polster_project_files(context):
    lines = [f"{v.name}={v.default}" for v in context.env]
    yield NewFile(path=PurePosixPath(".env.example"), text="\\n".join(lines))
    lines = [f"{name}={value}" for name, value in context.values.items()]
    yield NewFile(path=PurePosixPath(".env"), text="\\n".join(lines))
    yield NewFile(path=PurePosixPath("README.md"), text=" ".join(context.requirements))
    yield NewFile(path=PurePosixPath("pyproject.toml"), text="")
"""
STORAGE = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import EnvVar, NewFile, Option, RuntimePart, StorageBackend

def files(context):
    yield NewFile(path=PurePosixPath("s3.py"), text=context.answers["s3-bucket"])
    {more}

@hookimpl
def polster_storage_backends():
    yield StorageBackend(
        name="s3",
        summary="Amazon S3",
        runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="s3"),),
        requirements=("s3fs>=2026", "boto3"),
        env=(EnvVar(name="S3_BUCKET", help="…"), EnvVar(name="S3_KEY", help="…", secret=True),
             EnvVar(name="S3_REGION", help="…", default="us")),
        options=(Option(name="bucket", help="…", required=True, env="S3_BUCKET"),
                 Option(name="key", help="…", secret=True, env="S3_KEY"),
                 Option(name="region", help="…", env="S3_REGION")),
        files=files,
    )
"""
EXTRA = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import NewFile

@hookimpl
def polster_project_files(context):
    yield NewFile(path=PurePosixPath("OWNERS"), text="ada")
    {more}
"""
REQUEST = ProjectRequest(
    name="shop", storage="s3", answers={"s3-bucket": "orders", "s3-key": "hunter2"}
)


def generated(
    install: Install, plugins: Plugins, *, storage: str = "", extra: str | None = None
) -> Mapping[str, NewFile]:
    found = install("polster", SKELETON, entry="project")
    found += install("polster-plugin-s3", STORAGE.format(more=storage), entry="storage-s3")
    if extra is not None:
        found += install("polster-plugin-x", EXTRA.format(more=extra), entry="extra")
    plugins.load(found)
    return {str(file.path): file for file in files(plugins, REQUEST)}


@pytest.fixture
def plugins() -> Plugins:
    """Return a registry without any plugin."""
    return Plugins()


def test_everybody_contributes(install: Install, plugins: Plugins) -> None:
    found = generated(install, plugins, extra="")

    parts = (".polster", "src/polster_runtime")
    own = {path: file.origin for path, file in found.items() if not path.startswith(parts)}
    assert own == {
        "s3.py": "storage-s3",
        ".env.example": "project",
        ".env": "project",
        "README.md": "project",
        "pyproject.toml": "project",
        "OWNERS": "extra",
    }
    assert found["src/polster_runtime/storage/backends/adls/access.py"].origin == "storage-s3"
    assert found["README.md"].text == "boto3 s3fs>=2026"
    assert ".polster/base.zip" in found
    assert plugins.broken == []


def test_secrets_go_into_dot_env_only(install: Install, plugins: Plugins) -> None:
    found = generated(install, plugins, storage='yield NewFile(path=PurePosixPath("k"), text="X")')
    assert found[".env"].text == "S3_BUCKET=orders\nS3_KEY=hunter2\nS3_REGION=us"
    assert found[".env.example"].text == "S3_BUCKET=orders\nS3_KEY=\nS3_REGION=us"
    assert [path for path, file in found.items() if b"hunter2" in file.content] == [".env"]
    assert '"s3-key"' not in str(found[".polster/manifest.json"].text)


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ("raise ZeroDivisionError", "polster_project_files: ZeroDivisionError"),
        ("yield 5", "polster_project_files: yielded 5, not a NewFile"),
        (
            'yield NewFile(path=PurePosixPath("readme.md"), text="mine")',
            "README.md and readme.md: wanted by both project and extra",
        ),
        (
            'yield NewFile(path=PurePosixPath("../x"), text="")',
            "polster_project_files: ../x is outside the project",
        ),
    ],
)
def test_who_was_not_asked_for_and_fails_is_left_out(
    install: Install, plugins: Plugins, extra: str, problem: str
) -> None:
    found = generated(install, plugins, extra=extra)
    assert "OWNERS" not in found
    assert "README.md" in found
    assert [(info.name, info.problem) for info in plugins.broken] == [("extra", problem)]
    assert '"extra"' not in str(found[".polster/manifest.json"].text)


def test_what_was_asked_for_and_fails_is_an_error(install: Install, plugins: Plugins) -> None:
    with pytest.raises(PluginError) as caught:
        generated(install, plugins, storage="raise OSError('no luck')")
    assert caught.value.reason == "storage s3: the plugin storage-s3 failed: OSError: no luck"
    assert caught.value.exit_code == 4


def test_a_fault_of_our_own_is_an_error_with_its_cause(install: Install, plugins: Plugins) -> None:
    broken = SKELETON.replace("lines =", "1 / 0; lines =", 1)
    plugins.load(
        install("polster", broken, entry="project")
        + install("polster-plugin-s3", STORAGE.format(more=""), entry="storage-s3")
    )
    with pytest.raises(PluginError) as caught:
        files(plugins, REQUEST)
    assert caught.value.reason == (
        "Polster's own plugin project failed: "
        "polster_project_files: ZeroDivisionError: division by zero"
    )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_options_count_where_they_belong(install: Install, plugins: Plugins) -> None:
    generated(install, plugins)
    assert [flag.name for flag in relevant(plugins, "s3", "none")] == [
        "s3-bucket",
        "s3-key",
        "s3-region",
    ]
    assert relevant(plugins, "local", "none") == []
