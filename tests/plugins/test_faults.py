"""Faults that plugins written by others had, each named after its number."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from polster_core.cli import console
from polster_core.environment import own_libraries
from polster_core.testing import InstallPlugin, MakeProject, ProjectFolder, RunPolster

HEAD = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, CicdGenerator, EnvVar, Fix, NewFile, Option, Problem, RuntimePart,
    StorageBackend, ValidationRule,
)
"""
INIT = ("init", "shop", "--no-setup", "--no-git")
CORE = "src/core/bronze_a.py"


def rule(edit: str, *, path: str = CORE, line: int = 15, name: str = "tidy") -> str:
    return HEAD + dedent(f"""
        def edit(data):
            {edit}

        def check(pipeline):
            path = PurePosixPath({path!r})
            fix = Fix(path=path, summary="tidy up", edit=edit)
            yield Problem(path=path, line={line}, message="untidy", fix=fix)

        @hookimpl
        def polster_validation_rules():
            yield ValidationRule(name={name!r}, summary="Tidy.", check=check)
        """)


@pytest.fixture
def shop(make_project: MakeProject) -> ProjectFolder:
    return make_project(assets={"bronze_a": []})


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("return data + b'def ('", "what it wrote cannot be read: line "),
        ("return data.decode()", "it returned str, not bytes"),
        ("raise KeyError('id')", "KeyError: 'id'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("return b''", "it changes line 1, which is none of its own"),
        ("return b'x = 1\\n'", "it changes line 1, which is none of its own"),
        ("return data.replace(b'\\n', b'\\r\\n')", "it changes line 1, which is none of its own"),
        ("return data.replace(b'id = dy', b'ID = dy')", "it changes line 12, which is none"),
    ],
)
def test_g1_a_fix_that_destroys(
    edit: str, said: str, install_plugin: InstallPlugin, shop: ProjectFolder
) -> None:
    """It is not applied, its author is named, and the fixes of others are applied."""
    install_plugin("polster-plugin-tidy", rule(edit))
    init = "src/orchestration/assets/bronze/__init__.py"
    shop.write({init: '"""The bronze assets."""\n\n__all__: list[str] = []\n'})
    before = shop.read(CORE)
    ran = shop.polster("validate", "--fix")
    assert ran.code == 4
    assert f"fix of the rule tidy (polster-plugin-tidy 0.1) was not applied: {said}" in ran.err
    assert shop.read(CORE) == before
    assert "run_bronze_a" in shop.read(init)


def test_g1_a_fix_of_its_own_statement_is_applied(
    install_plugin: InstallPlugin, shop: ProjectFolder
) -> None:
    """And so are an import at the top, and lines beside the statement."""
    edit = """return data.replace(b"def extract()", b"# why\\ndef  extract()").replace(
                b"import polars", b"import json\\nimport polars")"""
    install_plugin("polster-plugin-tidy", rule(edit))
    ran = shop.polster("validate", "--fix")
    assert "def  extract()" in shop.read(CORE)
    assert "# why" in shop.read(CORE)
    assert "import json" in shop.read(CORE)
    assert ran.code == 1  # the rule finds it all the same


SECRET = "s3cr3t/of the lake"  # noqa: S105 - not one
LAKE = """
@hookimpl
def polster_storage_backends():
    part = RuntimePart(package="polster_runtime.storage.backends.adls", storage="lake")
    yield StorageBackend(
        name="lake", summary="…", runtime=(part,), files={files},
        options=(Option(name="password", help="…", env="LAKE_PASSWORD"{marked}),),
        env=(EnvVar(name="LAKE_PASSWORD", help="…", secret=True),),
    )
"""
LEAK = """
def leak(context):
    import base64
    told = [*context.answers.values(), *context.values.values()]
    text = " ".join(str(one) for one in told)
    yield NewFile(path=PurePosixPath("lake.txt"), text={text})
"""


@pytest.mark.parametrize("secret", ["", ", secret=True"])
@pytest.mark.parametrize("text", ["text", "base64.b64encode(told[0].encode()).decode()"])
def test_g2_an_owner_that_writes_its_secret_is_refused(
    secret: str, text: str, install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    """Whether the option says that it is secret, or its variable does."""
    source = HEAD + LEAK.format(text=text) + LAKE.format(files="leak", marked=secret)
    install_plugin("polster-plugin-lake", source)
    ran = run_polster(*INIT, "--storage", "lake", "--lake-password", SECRET)
    assert ran.code == 4
    assert ran.err.startswith(
        "error: lake.txt would hold the secret --lake-password, and only .env may: the plugin "
    )
    assert SECRET not in ran.err
    assert not (tmp_path / "shop").exists()


def test_g2_others_are_not_told(
    install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    """Neither a pipeline nor who writes files into every project; `.env` has it."""
    source = HEAD + LAKE.format(files="lambda context: ()", marked=", secret=True")
    install_plugin("polster-plugin-lake", source)
    nosy = LEAK.format(text="text").replace("lake.txt", "nosy.txt") + dedent("""
        @hookimpl
        def polster_cicd_generators():
            yield CicdGenerator(name="nosy", summary="…", files=leak)

        @hookimpl
        def polster_project_files(context):
            for file in leak(context):
                yield NewFile(path=PurePosixPath("nosy/too.txt"), text=file.text)
        """)
    install_plugin("polster-plugin-nosy", HEAD + nosy)
    given = ("--storage", "lake", "--lake-password", SECRET, "--cicd", "nosy")
    run_polster(*INIT, *given).succeeded()
    texts = {path: path.read_bytes() for path in (tmp_path / "shop").rglob("*") if path.is_file()}
    holding = {path.name for path, text in texts.items() if SECRET.encode() in text}
    assert holding == {".env"}
    assert (tmp_path / "shop/nosy.txt").exists()
    assert (tmp_path / "shop/nosy/too.txt").exists()


def test_g2_a_text_that_is_there_by_chance_is_no_leak(
    install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    source = LEAK.format(text="'main'").replace("lake.txt", "main.txt")
    source += LAKE.format(files="leak", marked=", secret=True")
    install_plugin("polster-plugin-lake", HEAD + source)
    run_polster(*INIT, "--storage", "lake", "--lake-password", "main").succeeded()
    assert "LAKE_PASSWORD=main" in (tmp_path / "shop/.env").read_text()


def test_g2_a_template_that_writes_its_secret_is_refused(
    install_plugin: InstallPlugin, shop: ProjectFolder
) -> None:
    """And one that keeps it gets it into `.env`, and nowhere else."""
    source = """
        def files(context):
            if context.asset.name == "loud":
                text = context.answers["token"]
                yield NewFile(path=context.asset.core_file, text=f"TOKEN = {text!r}")

        @hookimpl
        def polster_asset_templates():
            yield AssetTemplate(
                name="topic", summary="…", layers=("bronze",), files=files,
                options=(Option(name="token", help="…", env="TOPIC_TOKEN", secret=True),),
                env=(EnvVar(name="TOPIC_TOKEN", help="…", secret=True),),
            )
        """
    install_plugin("polster-plugin-topic", HEAD + dedent(source))
    shop.write({".env": "", ".env.example": ""})
    before = shop.tree()
    add = ("add-asset", "--layer", "bronze", "--template", "topic", "--token", SECRET, "--name")
    ran = shop.polster(*add, "loud")
    assert (ran.code, shop.tree()) == (4, before)
    assert "would hold the secret --token" in ran.err
    assert SECRET not in ran.out + ran.err
    shop.polster(*add, "quiet").succeeded()
    assert [path for path, text in shop.tree().items() if SECRET in text] == [".env"]


def backend(name: str, requirements: str) -> str:
    return HEAD + dedent(f"""
        @hookimpl
        def polster_storage_backends():
            part = RuntimePart(package="polster_runtime.storage.backends.adls", storage="{name}")
            yield StorageBackend(
                name="{name}", summary="…", runtime=(part,), requirements={requirements},
            )
        """)


def test_g3_extras_and_bounds_are_united(
    install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    """By init and by `storage add` alike, in one line for each package."""
    wanted = '("fsspec[http]>=2026.2", "polars<2.9")'
    install_plugin("polster-plugin-dav", backend("dav", wanted))
    run_polster(*INIT, "--storage", "dav").succeeded()
    (tmp_path / "shop").rename(tmp_path / "first")
    run_polster(*INIT).succeeded()
    run_polster("storage", "add", "dav", cwd=tmp_path / "shop").succeeded()
    for folder in ("first", "shop"):
        text = (tmp_path / folder / "pyproject.toml").read_text()
        assert '    "fsspec[http]>=2026.2",\n' in text
        assert '"polars>=2.1,<2.9",' in text
        assert text.count("polars>=") == 1


def test_g3_what_no_version_fits_is_refused_with_both_names(
    install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    install_plugin("polster-plugin-far", backend("far", '("polars>=99",)'))
    ran = run_polster(*INIT, "--storage", "far")
    assert (ran.code, list(tmp_path.glob("shop*"))) == (4, [])
    assert "Polster requires polars>=2.1,<3, the plugin polster-plugin-far requires polars>=99" in (
        ran.err
    )
    run_polster(*INIT).succeeded()
    before = (tmp_path / "shop/pyproject.toml").read_bytes()
    ran = run_polster("storage", "add", "far", cwd=tmp_path / "shop")
    assert ran.code == 4
    assert "pyproject.toml requires polars>=2.1,<3, the plugin polster-plugin-far" in ran.err
    assert (tmp_path / "shop/pyproject.toml").read_bytes() == before


def test_g5_a_rule_that_raises_is_exit_4(
    install_plugin: InstallPlugin, shop: ProjectFolder
) -> None:
    install_plugin(
        "polster-plugin-tidy", rule("return data").replace("yield Problem", "1 / 0; yield Problem")
    )
    ran = shop.polster("validate", "--json")
    assert ran.code == 4
    (found,) = json.loads(ran.out)["problems"]
    assert found["message"].startswith("the rule tidy of polster-plugin-tidy 0.1 failed: ZeroDiv")


@pytest.mark.parametrize(
    "path",
    [
        ".polster/manifest.json",
        ".Polster/base.zip",
        ".git/hooks/post-commit",
        "docs/.git/config",
        ".GIT./config",
        ".venv/bin/python",
    ],
)
def test_g9_what_is_nobodys_to_write(
    path: str, install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    """The plugin is left out, and the project is made without it."""
    source = dedent(f"""
        @hookimpl
        def polster_project_files(context):
            yield NewFile(path=PurePosixPath({path!r}), text="")
        """)
    install_plugin("polster-plugin-sly", HEAD + source)
    ran = run_polster(*INIT).succeeded()
    assert f"{path} is not a plugin's to write" in ran.err
    assert (tmp_path / "shop/pyproject.toml").exists()
    assert not (tmp_path / "shop/.git").exists()


def test_g9_nor_has_a_fix_a_way_there(install_plugin: InstallPlugin, shop: ProjectFolder) -> None:
    edit = "return b'#!/bin/sh'"
    install_plugin("polster-plugin-sly", rule(edit, path=".git/hooks/post-commit", line=1))
    ran = shop.polster("validate", "--fix")
    assert ran.code == 4
    assert ".git/hooks/post-commit is not a plugin's to write" in ran.err
    assert not (shop.root / ".git").exists()


def test_g10_a_strangers_name_turns_off_the_stranger(
    install_plugin: InstallPlugin, shop: ProjectFolder
) -> None:
    """Polster's own rules stay, and the advice names the distribution."""
    install_plugin(
        "polster-plugin-rules", rule("return data"), entry_points={"rules": "polster_plugin_rules"}
    )
    plugins = json.loads(shop.polster("plugins", "--json").out)["plugins"]
    (stranger,) = (one for one in plugins if one["distribution"] == "polster-plugin-rules")
    assert stranger["hint"].endswith("POLSTER_DISABLE_PLUGINS=polster-plugin-rules")
    (shop.root / "src/core/bronze_a.py").unlink()
    for name in ("rules", "polster-plugin-rules"):
        ran = shop.polster("validate", env={"POLSTER_DISABLE_PLUGINS": name})
        assert ran.code == 1
        assert "warning" not in ran.err


def test_g10_without_own_rules_validate_says_so(shop: ProjectFolder) -> None:
    ran = shop.polster("validate", env={"POLSTER_DISABLE_PLUGINS": "rules"})
    assert "Polster's own rules are turned off, and nothing checks what they check" in ran.err


def test_what_is_broken_is_left_out_as_a_whole(
    install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    """Also what of it works: it is an error for those who ask for it by name."""
    source = backend("fine", "()") + dedent("""
        @hookimpl
        def polster_init_options():
            yield "team"
        """)
    install_plugin("polster-plugin-half", source)
    assert "fine" not in run_polster("init", "--help").out.partition("--storage")[2][:60]
    ran = run_polster(*INIT, "--storage", "fine")
    assert ran.code == 4
    assert "storage fine: the plugin polster-plugin-half" in ran.err


def topics(*helps: str) -> str:
    templates = [
        f"    yield AssetTemplate(name='topic-{number}', summary='…', layers=('bronze',), "
        f"options=(Option(name='broker', help={words!r}),))"
        for number, words in enumerate(helps)
    ]
    return "\n".join([HEAD, "@hookimpl", "def polster_asset_templates():", *templates])


@pytest.mark.parametrize(
    ("helps", "shown"),
    [
        (("The broker.", "The broker."), "The broker."),
        (("The broker.", "Who sends."), "topic-0: The broker. topic-1: Who sends."),
    ],
)
def test_g11_an_option_of_two_templates_shows_the_words_of_both(
    helps: tuple[str, ...], shown: str, install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    install_plugin("polster-plugin-topics", topics(*helps))
    text = " ".join(run_polster("add-asset", "--help").succeeded().out.split())
    assert f"--broker TEXT {shown}" in text


def test_g11_a_library_that_somebody_changed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plugin that brought another click along: Polster does not blame itself."""
    monkeypatch.setattr(own_libraries, "version", lambda name: "7.1.2" if name == "click" else "99")
    monkeypatch.setattr(own_libraries, "requires", lambda _: ["click>=8.2,<9", "pluggy>=1.6"])
    assert console.report(AttributeError("module 'click' has no attribute 'Choice'")) == 1
    assert capsys.readouterr().err == (
        "error: click 7.1.2 is installed, and Polster needs click<9,>=8.2\n"
        "hint: something has changed them, such as a plugin; install Polster again\n"
    )


def test_g11_what_is_installed_here_fits() -> None:
    assert own_libraries.misfits() == []


@pytest.mark.parametrize("platform", ["github-actions", "gitlab-ci", "azure-devops"])
def test_g7_guides_call_a_storage_by_its_name(
    platform: str, install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    source = HEAD + LAKE.format(files="lambda context: ()", marked=", secret=True")
    install_plugin("polster-plugin-lake", source)
    given = ("--storage", "lake", "--lake-password", SECRET, "--cicd", platform)
    run_polster(*INIT, *given).succeeded()
    page = (tmp_path / f"shop/docs/cicd/{platform}.md").read_text()
    assert "Let runs reach the storage `lake`: set what it needs of `.env.example` here: " in page
    assert "`LAKE_PASSWORD`; secrets as secrets." in page
    assert "Sign in to Azure" not in page
    assert "ADLS" not in page
