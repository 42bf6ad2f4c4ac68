"""Plugins that do what they should not: each is named, kept apart, and explained."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from polster_core.testing import InstallPlugin, MakeProject, ProjectFolder, Ran, RunPolster
from polster_core.testing.projects import PYPROJECT
from tests import machine
from tests.plugins.test_local import RULES as OWN_RULE

HEAD = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import (
    AssetTemplate, EnvVar, NewFile, Option, RuntimePart, StorageBackend, ValidationRule
)
"""
BACKEND = """
@hookimpl
def polster_storage_backends():
    yield StorageBackend(name="{name}", summary="…"{more})
"""
RUNTIME = """\
, runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="{name}"),)"""
SOURCES = Path(__file__).with_name("misbehaving")


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A plugin: what it is, what it does wrong, and what is said about it."""

    name: str
    problem: str = ""
    """What is wrong; empty where the plugin is used all the same."""
    note: str = ""
    """What is worth knowing."""
    hint: str = (
        "upgrade it, report it to the plugin's author, or turn it off:  POLSTER_DISABLE_PLUGINS="
    )
    asked: tuple[str, ...] = ()
    """A command that asks for the plugin."""
    code: int = 4
    """How that command ends."""
    at: str = ""
    """The path by which a project names it; empty for one that is installed."""

    @property
    def source(self) -> str:
        """What it is: a file of tests/plugins/misbehaving, unless there is none."""
        file = SOURCES / f"{self.name}.py"
        return file.read_text(encoding="utf-8") if file.exists() else ""


def local(name: str, problem: str, at: str = "tools/our_rules.py") -> Bad:
    return Bad(name=name, problem=problem, at=at, asked=("validate",))


INIT = ("init", "shop", "--no-setup", "--no-git", "--dry-run")
ALL = [
    Bad(
        name="import-error",
        problem="ModuleNotFoundError: No module named 's3fs_that_is_not_there'",
        hint="install what it needs:  pip install --upgrade polster-plugin-import-error; or turn",
        asked=(*INIT, "--storage", "import-error"),
    ),
    Bad(
        name="of-tomorrow",
        problem="ImportError: cannot import name 'Teleporter' from 'polster_core.types' (",
        hint="install versions that fit:  pip install --upgrade polster-plugin-of-tomorrow polster",
        asked=(*INIT, "--storage", "tomorrow"),
    ),
    Bad(
        name="syntax",
        problem="SyntaxError: invalid syntax (polster_plugin_syntax.py, line 1)",
        asked=(*INIT, "--cicd", "syntax"),
    ),
    Bad(
        name="signature",
        problem="polster_storage_backends() is given no project, terminal",
        asked=(*INIT, "--storage", "signature"),
    ),
    Bad(
        name="unknown-hook",
        problem="there is no hook polster_storage_backend. Did you mean polster_storage_backends?",
    ),
    Bad(
        name="better-local",
        problem="storage local is offered by polster {version}, too",
        hint="uninstall one of them, or turn it off:  POLSTER_DISABLE_PLUGINS=better-local",
    ),
    Bad(
        name="one",
        problem="storage twin is offered by polster-plugin-other 0.1, too",
        hint="uninstall one of them, or turn it off:  POLSTER_DISABLE_PLUGINS=one",
        asked=(*INIT, "--storage", "twin"),
    ),
    Bad(
        name="other",
        problem="storage twin is offered by polster-plugin-one 0.1, too",
        hint="uninstall one of them, or turn it off:  POLSTER_DISABLE_PLUGINS=other",
    ),
    Bad(
        name="flag",
        problem="--dry-run is a flag of polster init itself",
        hint="uninstall one of them, or turn it off:  POLSTER_DISABLE_PLUGINS=flag",
    ),
    Bad(
        name="raising",
        problem="polster_init_options: OSError: [Errno 5] I/O",
    ),
    Bad(
        name="sys-exit",
        problem="SystemExit: not on this machine",
        asked=(*INIT, "--storage", "sys-exit"),
    ),
    Bad(
        name="quitter",
        problem="polster_project_files: SystemExit: 0",
    ),
    Bad(
        name="slow",
        note="importing it took 1.",
    ),
    Bad(
        name="printing",
        note="importing it printed Thank you for choosing us!",
    ),
    Bad(
        name="huge",
        note="importing it printed spam spam spam",
    ),
    Bad(
        name="absolute",
        problem="polster_project_files: /etc/cron.d/x is outside the project",
    ),
    Bad(
        name="escaping",
        problem="polster_project_files: docs/../../x is outside the project",
    ),
    Bad(
        name="overwriting",
        problem="README.md and readme.md: wanted by both project and overwriting",
        hint="uninstall one of them, or turn it off:  POLSTER_DISABLE_PLUGINS=overwriting",
    ),
    Bad(
        name="number",
        problem="polster_init_options: returned 5, not an iterable of Option",
    ),
    Bad(
        name="wrong-type",
        problem="polster_project_files: yielded 'README.md', not a NewFile",
    ),
    Bad(
        name="text-path",
        problem="polster_project_files: yielded a file whose path is 'x.txt', not a PurePosixPath",
    ),
    Bad(
        name="mutating",
        problem="polster_project_files: TypeError: 'mappingproxy' object does not support item "
        "assignment",
    ),
    Bad(
        name="no-template",
        problem="polster_project_files: FileNotFoundError: [Errno 2] No such file or directory: ",
    ),
    Bad(
        name="requirement",
        problem="polster_storage_backends: storage requirement: the requirement 's3fs >= ' is not "
        "one that pip takes",
        asked=(*INIT, "--storage", "requirement"),
    ),
    Bad(
        name="one-requirement",
        problem="polster_storage_backends: storage text: requirements is 's3fs', not a tuple",
    ),
    Bad(
        name="env",
        problem="polster_storage_backends: storage env: the variable PATH is not its own",
        asked=(*INIT, "--storage", "env"),
    ),
    Bad(
        name="no-part",
        problem="polster_storage_backends: storage no-part: no part of its runtime says "
        "storage='no-part'",
        asked=(*INIT, "--storage", "no-part"),
    ),
    Bad(
        name="no-tuple",
        problem="polster_storage_backends: storage no-tuple: runtime is 'polster_tuple', not a "
        "tuple of RuntimePart",
    ),
    Bad(
        name="no-package",
        problem="polster_storage_backends: storage no-package: the package polster_no_package is "
        "not in polster-plugin-no-package",
        asked=(*INIT, "--storage", "no-package"),
    ),
    Bad(
        name="of-others",
        problem="polster_storage_backends: storage of-others: the package click is not in "
        "polster-plugin-of-others",
    ),
    Bad(
        name="no-such-part",
        problem="polster_storage_backends: storage no-such-part: there is no package "
        "polster_runtime.storage.backends.hdfs",
    ),
    Bad(
        name="module",
        problem="polster_storage_backends: storage module: there is no package "
        "polster_plugin_module",
    ),
    Bad(
        name="no-identifier",
        problem="polster_storage_backends: ValueError: 'polster-lake' is no package",
    ),
    Bad(
        name="range",
        problem="it is for version <1 of the hooks, and this Polster has 2.0",
        hint="install versions that fit:  pip install --upgrade polster-plugin-range polster",
        asked=(*INIT, "--storage", "range"),
    ),
    Bad(
        name="no-range",
        problem="polster_api = 1 is no range of versions such as '>=2,<3'",
    ),
    local("folder", "tools is a folder, and a plugin of a project is one Python file", "tools"),
    local("missing", "tools/other.py does not exist", "tools/other.py"),
    local("outside", "../outside.py is outside the project", "../outside.py"),
    local("far-outside", "/etc/rules.py is outside the project", "/etc/rules.py"),
    local("symlink", "tools/link.py leads out of the project, to ", "tools/link.py"),
    local("symlinked-folder", "linked/rules.py leads out of the project, to ", "linked/rules.py"),
    local("no-python", "README.md is no Python file", "README.md"),
    local("own-syntax", "SyntaxError: invalid syntax"),
    local("own-exit", "SystemExit: 0"),
    local("own-import", "ModuleNotFoundError: No module named"),
    local("own-range", "it is for version <1 of the hooks"),
]
INSTALLED = [bad for bad in ALL if not bad.at]
GOOD = HEAD + BACKEND.format(name="good", more=RUNTIME.format(name="good"))
BY_NAME = {bad.name: bad for bad in INSTALLED}


@pytest.fixture
def crowd(install_plugin: InstallPlugin) -> None:
    """Install all of them at once, and one with which nothing is wrong."""
    for bad in INSTALLED:
        install_plugin(f"polster-plugin-{bad.name}", bad.source, entry_points=entry(bad.name))
    install_plugin("polster-plugin-good", GOOD, entry_points=entry("good"))


def entry(name: str) -> Mapping[str, str]:
    return {name: f"polster_plugin_{name.replace('-', '_')}"}


def listed(ran: Ran) -> dict[str, dict[str, Any]]:
    assert ran.err == ""
    return {one["name"]: one for one in json.loads(ran.out)["plugins"]}


def fits(bad: Bad, found: str) -> bool:
    import polster_core

    return found.startswith(bad.problem.format(version=polster_core.__version__))


@pytest.mark.usefixtures("crowd")
def test_all_at_once(run_polster: RunPolster, tmp_path: Path) -> None:
    """Each keeps to itself: what a project needs is written, and each is named once."""
    ran = run_polster(*(one for one in INIT if one != "--dry-run"), "--storage", "good")
    assert ran.code == 0, ran.err
    assert "STORAGE_BACKEND=good" in (tmp_path / "shop/.env").read_text()
    warned = {line.split()[2]: line.partition("): ")[2] for line in ran.err.splitlines()}
    assert warned.keys() == BY_NAME.keys()
    for name, said in warned.items():
        assert (
            said.startswith(BY_NAME[name].note) if BY_NAME[name].note else fits(BY_NAME[name], said)
        ), said
    help_ran = run_polster("init", "--help")
    assert help_ran.code == 0
    assert "good" in help_ran.out


@pytest.mark.parametrize("bad", INSTALLED, ids=lambda bad: bad.name)
def test_each_is_named_and_explained(
    bad: Bad, install_plugin: InstallPlugin, run_polster: RunPolster
) -> None:
    """By `polster plugins`, as far as it shows without a project, and by a command that asks."""
    for each in (bad, *(one for one in INSTALLED if bad.name == "one" and one.name == "other")):
        install_plugin(f"polster-plugin-{each.name}", each.source, entry_points=entry(each.name))
    if bad.name == "other":
        install_plugin("polster-plugin-one", BY_NAME["one"].source, entry_points=entry("one"))
    found = listed(run_polster("plugins", "--json"))[bad.name]
    if bad.problem and "polster_project_files" not in bad.source:
        assert fits(bad, found["problem"])
        assert found["status"] == "broken"
        assert found["hint"].startswith(bad.hint)
        page = run_polster("plugins", "show", bad.name).succeeded().out
        assert page.startswith(f"{bad.name}  broken\n")
        assert found["problem"] in page
        assert found["hint"] in page
    elif bad.note:
        assert (found["status"], len(found["notes"])) == ("active", 1)
        assert found["notes"][0].startswith(bad.note)
        install_plugin(f"polster-plugin-{bad.name}", bad.source, entry_points=entry(bad.name))
        assert f"; {bad.note}" in run_polster("plugins").out
    if bad.asked:
        ran = run_polster(*bad.asked)
        assert (ran.code, ran.out) == (bad.code, "")
        assert f"polster-plugin-{bad.name} 0.1" in ran.err
    assert run_polster("list-assets", "--help").code == 0


@pytest.fixture
def shop(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ProjectFolder:
    """Make a project beside files that are not its own; keep trust out of the tester's settings."""
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "config"))
    project = make_project({"README.md": "", "tools/good.py": OWN_RULE}, assets={"bronze_a": []})
    (tmp_path / "outside.py").write_text(OWN_RULE, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/rules.py").write_text(OWN_RULE, encoding="utf-8")
    (project.root / "tools/link.py").symlink_to(tmp_path / "outside.py")
    (project.root / "linked").symlink_to(tmp_path / "elsewhere")
    return project


@pytest.mark.parametrize("bad", [bad for bad in ALL if bad.at], ids=lambda bad: bad.name)
def test_each_of_a_project_is_named_and_stops_nobody(bad: Bad, shop: ProjectFolder) -> None:
    """Whether it is trusted or not; the other plugin of the project works."""
    plugins = json.dumps([bad.at, "tools/good.py"])
    shop.write({"pyproject.toml": f"{PYPROJECT}plugins = {plugins}\n"})
    if bad.source:
        shop.write({bad.at: bad.source})
    ran = shop.polster(*bad.asked)
    assert ran.code == bad.code
    assert bad.at in ran.err
    shop.polster("plugins", "trust").succeeded()
    ran = shop.polster(*bad.asked)
    assert ran.code == bad.code
    assert ran.err.startswith(f"warning: plugin {bad.at} (this project): {bad.problem}")
    assert len(ran.err.splitlines()) == 1
    assert "bronze_a has no owner" in ran.out
    assert "bronze" in shop.polster("list-assets").succeeded().out


def test_help_works_with_all_of_them_in_a_real_process(
    install_plugin: InstallPlugin, tmp_path: Path
) -> None:
    """`sys.exit`, megabytes of output and printing included; none of them is even imported."""
    for bad in INSTALLED:
        seen = f"open({str(tmp_path / 'seen')!r}, 'a').close()\n{bad.source}"
        install_plugin(f"polster-plugin-{bad.name}", seen, entry_points=entry(bad.name))
    sites = os.pathsep.join(map(str, (tmp_path / "site").iterdir()))
    env = {"PYTHONPATH": sites}
    alone = machine.polster("--help", cwd=tmp_path)
    done = machine.polster("--help", cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, alone.stdout, "")
    assert not (tmp_path / "seen").exists()
    done = machine.polster("plugins", "--json", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    found = {one["name"]: one["status"] for one in json.loads(done.stdout)["plugins"]}
    assert found.keys() >= BY_NAME.keys()
    assert (tmp_path / "seen").exists()


def test_what_was_asked_for_and_gets_conflicts_is_an_error(
    install_plugin: InstallPlugin, run_polster: RunPolster, tmp_path: Path
) -> None:
    """Files of a backend that overwrite the project's, or lead out of it, are its fault: 4."""
    for name, path in (("over", "README.md"), ("out", "../x")):
        source = HEAD + (
            "def _files(context):\n"
            f"    yield NewFile(path=PurePosixPath({path!r}), text='')\n"
            + BACKEND.format(name=name, more=RUNTIME.format(name=name) + ", files=_files")
        )
        install_plugin(f"polster-plugin-{name}", source)
        ran = run_polster("init", "shop", "--no-setup", "--no-git", "--storage", name)
        assert (ran.code, ran.out) == (4, ""), ran
        assert f"the plugin polster-plugin-{name} " in ran.err
        assert path in ran.err
        assert not (tmp_path / "shop").exists()


def test_a_setting_that_is_none(run_polster: RunPolster, tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text("[tool.polster]\ndisable-plugins = 'x'\n")
    ran = run_polster("plugins")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"error: {project}: disable-plugins in [tool.polster] is no list of names\n"
        'hint: for example  disable-plugins = ["storage-s3"]\n'
    )
    project.write_text("[tool.polster]\ndisable-plugins = ['storage-adsl']\n")
    ran = run_polster("plugins")
    assert ran.code == 0
    assert ran.err == "warning: disable-plugins: no plugin is called storage-adsl\n"


def test_what_is_printed_later_does_not_spoil_json_either(
    install_plugin: InstallPlugin, make_project: MakeProject
) -> None:
    """A rule that prints, and one that ends the process: both are told of, the others go on."""
    for name, body in (("loud", "print('looking …'); return ()"), ("quitter", "raise SystemExit")):
        source = f"""
            def check(pipeline):
                {body}

            @hookimpl
            def polster_validation_rules():
                yield ValidationRule(name={name!r}, summary="…", check=check)
            """
        install_plugin(f"polster-plugin-{name}", HEAD + dedent(source))
    ran = make_project(assets={"bronze_a": []}).polster("validate", "--json")
    assert (ran.code, ran.err) == (4, "")
    assert [one["message"] for one in json.loads(ran.out)["problems"]] == [
        "the rule loud of polster-plugin-loud 0.1 printed: looking …",
        "the rule quitter of polster-plugin-quitter 0.1 failed: SystemExit:",
    ]


def test_a_template_that_prints(install_plugin: InstallPlugin, make_project: MakeProject) -> None:
    source = """
        def files(context):
            print("writing …")
            yield NewFile(path=PurePosixPath("x.txt"), text="")

        @hookimpl
        def polster_asset_templates():
            yield AssetTemplate(name="loud", summary="…", layers=("bronze",), files=files)
        """
    install_plugin("polster-plugin-loud", HEAD + dedent(source))
    project = make_project(assets={"bronze_a": []})
    args = ("--layer", "bronze", "--name", "b", "--template", "loud", "--dry-run")
    ran = project.polster("add-asset", *args).succeeded()
    assert "create  x.txt" in ran.out
    assert "writing" not in ran.out + ran.err
