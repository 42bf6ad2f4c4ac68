"""Plugins after `init`: their options, their upgrades, and what a project says without them."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from polster_core.testing import InstallPlugin, Ran, RunPolster
from tests.plugins.test_faults import HEAD, INIT, SECRET

PLUGIN = HEAD + dedent('''
    def bucket(context):
        text = f"{context.answers['box-size']} {context.delivery} {context.env[0].default}\\n"
        yield NewFile(path=PurePosixPath("docs/box.md"), text=text)

    def pipeline(context):
        text = f"{context.answers['mill-pool']} {sorted(one.name for one in context.env)}\\n"
        yield NewFile(path=PurePosixPath("mill.txt"), text=text)

    def topic(context):
        name = context.asset.name
        yield NewFile(path=PurePosixPath("docs/topic.md"), text="VERSION\\n")
        yield NewFile(
            path=context.asset.core_file,
            text=f"""\\
    from polster_runtime import run
    from polster_box.reading import NAME

    import polars as pl


    def extract() -> pl.LazyFrame:
        return pl.LazyFrame({{"id": [NAME]}})


    if __name__ == "__main__":
        run(extract)
    """,
        )

    PART = RuntimePart(package="polster_box", requirement="polster-plugin-box", storage="box")

    @hookimpl
    def polster_storage_backends():
        yield StorageBackend(
            name="box", summary="A box.", runtime=(PART,), files=bucket,
            options=(
                Option(name="size", help="How big.", default="small", env="BOX_SIZE"),
                Option(name="key", help="The key.", secret=True, env="BOX_KEY"),
            ),
            env=(
                EnvVar(name="BOX_SIZE", help="How big.", default="small"),
                EnvVar(name="BOX_KEY", help="The key.", secret=True),
            ),
        )

    @hookimpl
    def polster_cicd_generators():
        yield CicdGenerator(
            name="mill", summary="A mill.", files=pipeline,
            options=(Option(name="pool", help="Which pool.", required=True),),
        )

    @hookimpl
    def polster_asset_templates():
        part = RuntimePart(package="polster_box", requirement="polster-plugin-box", source="box")
        yield AssetTemplate(
            name="topic", summary="A topic.", layers=("bronze",), runtime=(part,), files=topic,
        )
''')
ADD = ("add-asset", "--layer", "bronze", "--template", "topic", "--name")


def install(install_plugin: InstallPlugin, version: str, *, box: str = "box") -> None:
    """Install a version of the plugin; `box` is what its runtime part says."""
    files = {
        "polster_plugin_box.py": PLUGIN.replace("VERSION", version),
        "polster_box/__init__.py": "def connect(): ...\n",
        "polster_box/reading.py": f'NAME = "{box}"\n',
    }
    points = {"box": "polster_plugin_box"}
    install_plugin("polster-plugin-box", files, version=version, entry_points=points)


@pytest.fixture
def shop(install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path) -> Path:
    install(install_plugin, "0.1")
    run_polster(*INIT, "--no-sample-assets").succeeded()
    return tmp_path / "shop"


@pytest.fixture
def run(run_polster: RunPolster, shop: Path) -> RunPolster:
    def in_shop(*args: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Ran:
        return run_polster(*args, cwd=cwd or shop, env=env)

    return in_shop  # type: ignore[return-value]


def test_g4_storage_add_takes_the_options_of_the_backend(run: RunPolster, shop: Path) -> None:
    """With the context of init; the secret gets into `.env`, and nowhere else."""
    given = ("--box-size", "large", "--box-key", SECRET)
    run("storage", "add", "box", *given).succeeded()
    assert (shop / "docs/box.md").read_text() == "large vendored large\n"
    assert "BOX_SIZE=large" in (shop / ".env.example").read_text()
    texts = {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    assert {path.name for path, text in texts.items() if SECRET.encode() in text} == {".env"}
    known = json.loads((shop / ".polster/manifest.json").read_text())
    assert known["answers"]["box-size"] == "large"
    assert known["files"]["docs/box.md"]["origin"] == "box"
    assert "src/polster_box/__init__.py" in known["files"]
    assert run("upgrade", "--check").code == 0


def test_g4_options_of_something_else_are_refused(run: RunPolster) -> None:
    ran = run("storage", "add", "adls", "--box-size", "large")
    assert ran.code == 2
    assert "--box-size belongs to box" in ran.err


def test_g4_add_cicd_takes_the_options_of_the_platform(run: RunPolster, shop: Path) -> None:
    """And remembers them: the next time nobody is asked again."""
    ran = run("add-cicd", "mill")
    assert ran.code == 2
    assert "missing option `--mill-pool`" in ran.err
    run("add-cicd", "mill", "--mill-pool", "fast").succeeded()
    assert (shop / "mill.txt").read_text().startswith("fast ")
    run("storage", "add", "box").succeeded()
    run("add-cicd", "mill", "--force").succeeded()
    assert (shop / "mill.txt").read_text().startswith("fast ")
    assert "BOX_KEY" in (shop / "mill.txt").read_text()


def test_g6_an_asset_that_does_not_fit_the_copy_is_refused(
    run: RunPolster, shop: Path, install_plugin: InstallPlugin
) -> None:
    """Until the project is brought up; then the plugin's files are carried along."""
    run(*ADD, "one").succeeded()
    install(install_plugin, "0.2", box="crate")
    before = {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    ran = run(*ADD, "two")
    assert ran.code == 1
    assert "was written by polster-plugin-box 0.1, and polster-plugin-box 0.2 is" in ran.err
    assert "polster upgrade" in ran.err
    assert {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()} == before
    run("upgrade").succeeded()
    assert (shop / "src/polster_box/reading.py").read_text() == 'NAME = "crate"\n'
    assert (shop / "docs/topic.md").read_text() == "0.2\n"
    run(*ADD, "two").succeeded()
    assert run("upgrade", "--check").code == 0


def test_g7_without_the_plugin_nothing_is_written_as_if_it_were_there(
    run: RunPolster, shop: Path, tmp_path: Path
) -> None:
    """Every command says what is missing; a check that may lack rules ends with 4."""
    run("storage", "add", "box").succeeded()
    assert 'required_plugins = ["polster-plugin-box"]' in (shop / "pyproject.toml").read_text()
    (tmp_path / "site/polster-plugin-box").rename(tmp_path / "away")
    said = "polster-plugin-box is not installed, and this project needs it"
    for command in (("list-assets",), ("doctor",), ("lineage",)):
        assert said in run(*command).err
    ran = run("validate")
    assert (ran.code, said in ran.err) == (4, True)
    before = (shop / ".polster/manifest.json").read_bytes()
    for args in (("add-cicd", "github-actions"), ("upgrade",)):
        assert run(*args).code == 4
    assert (shop / ".polster/manifest.json").read_bytes() == before
    (tmp_path / "away").rename(tmp_path / "site/polster-plugin-box")
    ran = run("validate")
    assert (ran.code, ran.err) == (0, "")
    run("add-cicd", "github-actions").succeeded()


def test_required_plugins_are_written_by_init_and_kept_by_upgrades(
    install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    install(install_plugin, "0.1")
    run_polster(*INIT, "--storage", "box").succeeded()
    project = tmp_path / "shop/pyproject.toml"
    assert 'required_plugins = ["polster-plugin-box"]' in project.read_text()
    assert run_polster("upgrade", "--check", cwd=tmp_path / "shop").code == 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('required_plugins = "box"', "required_plugins in [tool.polster] is no list of"),
        (
            'required_plugins = ["polster-plugin-box >>"]',
            "which is no requirement of a",
        ),
        ('required_plugins = ["polster-plugin-box>=0.2"]', "polster-plugin-box>=0.2 is not"),
    ],
)
def test_a_setting_that_does_not_fit(setting: str, said: str, run: RunPolster, shop: Path) -> None:
    project = shop / "pyproject.toml"
    project.write_text(project.read_text().replace("[tool.polster]", f"[tool.polster]\n{setting}"))
    ran = run("list-assets")
    assert said in ran.err
    assert "Traceback" not in ran.err
