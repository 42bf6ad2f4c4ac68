"""`polster plugins`: what is installed, what is broken and why."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import polster_core
from polster_core.testing import polster
from tests import machine
from tests.conftest import Install

ROOT = Path(__file__).parents[2]
OWN = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["polster"]
BROKEN = "raise RuntimeError('no luck')"


def test_what_polster_brings_is_active_and_complete(tmp_path: Path) -> None:
    done = machine.polster("plugins", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)["plugins"]
    assert [plugin["name"] for plugin in found] == sorted(OWN)
    for plugin in found:
        assert plugin["status"] == "active"
        assert plugin["problem"] is None
        assert plugin["distribution"] == "polster"
        assert plugin["version"] == polster_core.__version__
        assert plugin["provides"]
    assert machine.polster("plugins", "--format", "json", cwd=tmp_path).stdout == done.stdout


def test_the_table_is_aligned_and_says_what_is_wrong(tmp_path: Path, install: Install) -> None:
    install("polster-plugin-x", BROKEN, entry="x")
    done = machine.polster(
        "plugins", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site/polster-plugin-x")}
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    columns = [lines[0].index(word) for word in ("NAME", "FROM", "STATUS", "PROVIDES")]
    cells = {
        line.split()[0]: [
            line[a:b].strip() for a, b in zip(columns, [*columns[1:], None], strict=True)
        ]
        for line in lines[1:]
    }
    assert cells["x"] == ["x", "polster-plugin-x 0.3.0", "broken", "RuntimeError: no luck"]
    *cells_before, provides = cells["storage-local"]
    assert cells_before == ["storage-local", f"polster {polster_core.__version__}", "active"]
    assert "storage local" in provides


def test_disabled_for_this_shell_or_for_this_project(tmp_path: Path, install: Install) -> None:
    """Not even imported: the plugin would leave a file."""
    seen = tmp_path / "imported"
    install("polster-plugin-x", f"open({str(seen)!r}, 'w').close()\n{BROKEN}", entry="x")
    site = {"PYTHONPATH": str(tmp_path / "site/polster-plugin-x")}
    project = tmp_path / "shop"
    (project / "src").mkdir(parents=True)
    (project / "pyproject.toml").write_text('[tool.polster]\ndisable-plugins = ["x"]\n')

    def status(cwd: Path, **env: str) -> tuple[str, bool]:
        done = machine.polster("plugins", "--json", cwd=cwd, env={**site, **env})
        assert done.stderr == ""
        (found,) = (p for p in json.loads(done.stdout)["plugins"] if p["name"] == "x")
        was_imported = seen.exists()
        seen.unlink(missing_ok=True)
        return found["status"], was_imported

    assert status(tmp_path) == ("broken", True)
    assert status(tmp_path, POLSTER_DISABLE_PLUGINS="a, polster-plugin-x") == ("disabled", False)
    assert status(project / "src") == ("disabled", False)


PAGED = """
from polster_core.hookspecs import hookimpl
from polster_core.types import AssetTemplate, EnvVar, Option, RuntimePart, StorageBackend

@hookimpl
def polster_storage_backends():
    yield StorageBackend(
        name="s3",
        summary="Amazon S3",
        runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="s3"),),
        options=(Option(name="bucket", help="Which bucket."),),
        env=(EnvVar(name="S3_BUCKET", help="The bucket."),),
        requirements=("s3fs>=2026.1",),
    )

@hookimpl
def polster_asset_templates():
    sql = Option(name="sql", help="It.")
    yield AssetTemplate(name="athena", summary="A query", layers=("bronze",), options=(sql,))
"""
PAGE = """\
storage-s3  active
  from          polster-plugin-s3 0.3.0
  about         S3 for Polster
  homepage      https://example.com/s3
  module        polster_plugin_s3
  offers        storage s3       Amazon S3
                  --s3-bucket    Which bucket.
                  S3_BUCKET      The bucket.
                  requires       s3fs>=2026.1
                template athena  A query
                  --sql          It.
"""


def test_a_page_about_one(tmp_path: Path, install: Install) -> None:
    install("polster-plugin-s3", PAGED, entry="storage-s3")
    metadata = next((tmp_path / "site").glob("*/*.dist-info/METADATA"))
    metadata.write_text(
        metadata.read_text()
        + "Summary: S3 for Polster\nProject-URL: Source, x\n"
        + "Project-URL: Homepage, https://example.com/s3\n"
    )
    for name in ("storage-s3", "Storage_S3", "polster-plugin-s3", "s3", "athena"):
        ran = polster(tmp_path, "plugins", "show", name)
        assert (ran.code, ran.out, ran.err) == (0, PAGE, "")
    found = json.loads(polster(tmp_path, "plugins", "show", "s3", "--json").out)["plugins"]
    assert [(one["name"], one["homepage"], one["offers"][0]) for one in found] == [
        ("storage-s3", "https://example.com/s3", ["storage s3", "Amazon S3"])
    ]
    pages = polster(tmp_path, "plugins", "show", "polster").out
    assert pages.count("  from          polster ") == len(OWN)


def test_a_page_about_none(tmp_path: Path) -> None:
    ran = polster(tmp_path, "plugins", "show", "storage-adsl")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: no plugin is called storage-adsl. Did you mean storage-adls?\n"
        "hint: see  polster plugins\n"
    )
