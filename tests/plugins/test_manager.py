"""Plugins: found, isolated, attributed."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from polster_core import hookspecs
from polster_core.errors import PluginError, UsageProblem
from polster_core.hookspecs import Deprecation
from polster_core.plugins.info import PluginInfo, Status
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import flags
from polster_core.types import NewFile, ProjectContext, StorageBackend
from tests.conftest import Install

GOOD = """
from polster_core.hookspecs import hookimpl
from polster_core.types import Option, RuntimePart, StorageBackend

@hookimpl
def polster_storage_backends():
    yield StorageBackend(
        name="{name}", summary="…", options=(Option(name="bucket", help="Which bucket."),),
        runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="{name}"),),
    )
"""
OPTION = """
from polster_core.hookspecs import hookimpl
from polster_core.types import Option

@hookimpl
def polster_init_options():
    yield Option(name="{name}", help="…")
"""


@pytest.fixture
def plugins() -> Plugins:
    """Return a registry without any plugin."""
    return Plugins()


def info(plugins: Plugins, name: str) -> PluginInfo:
    return next(info for info in plugins.infos if info.name == name)


def own(source: str, install: Install, entry: str) -> list[EntryPoint]:
    return install("polster", source, entry=entry)


def test_third_party_plugin_takes_the_same_path(plugins: Plugins, install: Install) -> None:
    plugins.load(install("polster-plugin-s3", GOOD.format(name="s3"), entry="storage-s3"))

    assert list(plugins.offers(StorageBackend)) == ["s3"]
    assert plugins.choose(StorageBackend, "s3").name == "s3"
    assert plugins.owner(StorageBackend, "s3") == "storage-s3"
    assert plugins.infos == [
        PluginInfo(
            name="storage-s3",
            distribution="polster-plugin-s3",
            version="0.3.0",
            status=Status.ACTIVE,
            problem=None,
            provides=("storage s3",),
            module="polster_plugin_s3",
        )
    ]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            "import package_that_does_not_exist",
            "ModuleNotFoundError: No module named 'package_that_does_not_exist'",
        ),
        ("raise SystemError('boom')", "SystemError: boom"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("raise SystemExit", "SystemExit"),
        ("raise BaseException('rude\\n  boom')", "BaseException: rude boom"),
        ("syntax error", "SyntaxError: invalid syntax (polster_plugin_bad.py, line 1)"),
        (
            GOOD.replace("backends()", "backends(project)"),
            "polster_storage_backends() is given no project",
        ),
        (
            GOOD.replace("polster_storage_backends", "polster_storage_backend"),
            "there is no hook polster_storage_backend. Did you mean polster_storage_backends?",
        ),
        (
            GOOD.replace("@hookimpl", ""),
            "polster_storage_backends is not marked with @hookimpl",
        ),
        (
            GOOD.replace("@hookimpl", "@hookimpl(wrapper=True)"),
            "polster_storage_backends wraps other plugins, which is not supported",
        ),
        (
            GOOD.format(name="S3"),
            "polster_storage_backends: ValueError: 'S3' is not a lower-case, dash-separated name",
        ),
        (
            GOOD.replace("    yield StorageBackend", "    raise SystemExit(3)\n    yield Storage"),
            "polster_storage_backends: SystemExit: 3",
        ),
        (
            OPTION.format(name="x").replace("yield", "return 5 or"),
            "polster_init_options: returned 5, not an iterable of Option",
        ),
        (
            GOOD.replace("polster_storage_backends", "polster_init_options").format(name="s3"),
            "polster_init_options: yielded StorageBackend(name='s3', summary='…', …, not a Option",
        ),
    ],
)
def test_a_broken_plugin_is_noted_and_the_others_work(
    plugins: Plugins, install: Install, source: str, problem: str
) -> None:
    found = install("polster-plugin-bad", source) + install(
        "polster-plugin-s3", GOOD.format(name="s3")
    )

    plugins.load(found)

    assert list(plugins.offers(StorageBackend)) == ["s3"]
    assert info(plugins, "polster-plugin-s3").status is Status.ACTIVE
    bad = info(plugins, "polster-plugin-bad")
    assert (bad.status, bad.problem, bad.provides) == (Status.BROKEN, problem, ())
    assert plugins.broken == [bad]


def test_ctrl_c_is_nobodys_fault(plugins: Plugins, install: Install) -> None:
    with pytest.raises(KeyboardInterrupt):
        plugins.load(install("polster-plugin-slow", "raise KeyboardInterrupt"))


def test_what_a_plugin_prints_is_noted_and_not_shown(
    plugins: Plugins, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = "import sys\nprint('hello')\nsys.stderr.write('x' * 10_000_000)\n"
    plugins.load(install("polster-plugin-loud", loud + GOOD.format(name="s3")))
    assert capsys.readouterr() == ("", "")
    (noted,) = plugins.noted
    assert (noted.name, noted.problem, noted.status) == ("polster-plugin-loud", None, Status.ACTIVE)
    assert noted.notes == (f"importing it printed hello {'x' * 54}…",)


def test_entry_point_name_clash_keeps_the_first_and_names_both(
    plugins: Plugins, install: Install
) -> None:
    plugins.load(
        install("polster-plugin-b", GOOD.format(name="b"), entry="same")
        + install("polster-plugin-a", GOOD.format(name="a"), entry="same")
    )

    assert list(plugins.offers(StorageBackend)) == ["a"]
    assert [(i.source, i.problem) for i in plugins.infos] == [
        ("polster-plugin-a 0.3.0", None),
        ("polster-plugin-b 0.3.0", "the name same is already taken by polster-plugin-a 0.3.0"),
    ]


def test_nobody_takes_a_name_from_polster(plugins: Plugins, install: Install) -> None:
    plugins.load(
        install("a-polster-plugin", GOOD.format(name="local"), entry="another-local")
        + own(GOOD.format(name="local"), install, "storage-local")
    )

    assert plugins.choose(StorageBackend, "local").name == "local"
    assert plugins.owner(StorageBackend, "local") == "storage-local"
    assert info(plugins, "storage-local").status is Status.ACTIVE
    assert info(plugins, "another-local").problem == (
        "storage local is offered by polster 0.3.0, too"
    )


def test_a_name_that_two_others_offer_is_used_from_neither(
    plugins: Plugins, install: Install
) -> None:
    plugins.load(
        install("polster-plugin-a", GOOD.format(name="s3"))
        + install("polster-plugin-b", GOOD.format(name="s3"))
        + install("polster-plugin-gcs", GOOD.format(name="gcs"))
    )

    assert list(plugins.offers(StorageBackend)) == ["gcs"]
    assert [i.problem for i in plugins.infos] == [
        "storage s3 is offered by polster-plugin-b 0.3.0, too",
        "storage s3 is offered by polster-plugin-a 0.3.0, too",
        None,
    ]
    with pytest.raises(PluginError) as caught:
        plugins.choose(StorageBackend, "s3")
    assert caught.value.reason == (
        "storage s3: offered by polster-plugin-a 0.3.0 and polster-plugin-b 0.3.0"
    )
    assert caught.value.exit_code == 4


def test_a_broken_plugin_is_an_error_when_it_is_asked_for(
    plugins: Plugins, install: Install
) -> None:
    plugins.load(
        install("polster-plugin-s3", "import s3fs_is_not_here", entry="storage-s3")
        + install("polster-plugin-gcs", GOOD.format(name="gcs"))
        + install("polster-plugin-ftp", GOOD.replace("yield", "raise OSError(1) or"), entry="ftp"),
        disabled=["POLSTER_plugin.gcs"],
    )
    for name, reason in {
        "s3": "storage s3: the plugin storage-s3 (polster-plugin-s3 0.3.0) is not used: "
        "ModuleNotFoundError: No module named 's3fs_is_not_here'",
        "gcs": "storage gcs: the plugin polster-plugin-gcs (polster-plugin-gcs 0.3.0) is not used: "
        "it is disabled",
        "ftp": "storage ftp: the plugin ftp (polster-plugin-ftp 0.3.0) is not used: "
        "polster_storage_backends: OSError: 1",
    }.items():
        with pytest.raises(PluginError) as caught:
            plugins.choose(StorageBackend, name)
        assert caught.value.reason == reason


def test_an_unknown_name_is_a_slip_of_the_user(plugins: Plugins, install: Install) -> None:
    plugins.load(install("polster-plugin-adls", GOOD.format(name="adls")))
    with pytest.raises(UsageProblem) as caught:
        plugins.choose(StorageBackend, "adsl")
    assert caught.value.reason == "there is no storage adsl. Did you mean adls?"
    assert caught.value.hint == "there is  adls"


@pytest.mark.parametrize("disabled", ["storage-s3", "polster-plugin-s3", "Polster_Plugin.S3"])
def test_disabled_plugin_is_not_imported(plugins: Plugins, install: Install, disabled: str) -> None:
    plugins.load(
        install("polster-plugin-s3", "raise SystemError", entry="storage-s3"), disabled=[disabled]
    )

    [found] = plugins.infos
    assert (found.status, found.problem) == (Status.DISABLED, None)
    assert "polster_plugin_s3" not in sys.modules
    assert plugins.broken == []


def test_flags_are_owned_by_one_plugin(plugins: Plugins, install: Install) -> None:
    plugins.load(
        install("polster-plugin-s3", GOOD.format(name="s3"))
        + install("polster-plugin-team", OPTION.format(name="team"))
        + install("polster-plugin-x", OPTION.format(name="s3-bucket"))
        + install("polster-plugin-y", OPTION.format(name="git"))
        + install("polster-plugin-z", OPTION.format(name="no-team"))
    )
    assert [(flag.name, flag.plugin, flag.contribution) for flag in flags(plugins)] == [
        ("s3-bucket", "polster-plugin-s3", "s3"),
        ("team", "polster-plugin-team", None),
    ]
    assert {i.name: i.problem for i in plugins.broken} == {
        "polster-plugin-x": "--s3-bucket is a flag of the plugin polster-plugin-s3",
        "polster-plugin-y": "--git is a flag of polster init itself",
        "polster-plugin-z": "--no-team is a flag of polster init itself",
    }


@pytest.mark.parametrize("known", [">=1,<2", "==1.*", ">=1.0", "~=1.0", ">=2,<3", "==2.*", ""])
def test_a_plugin_says_which_hooks_it_knows(plugins: Plugins, install: Install, known: str) -> None:
    plugins.load(
        install("polster-plugin-s3", f"polster_api = {known!r}\n" + GOOD.format(name="s3"))
    )
    assert list(plugins.offers(StorageBackend)) == ["s3"]
    assert plugins.noted == []


@pytest.mark.parametrize("known", ["<1", ">=2.1", "==3.*", ">=1.5,<2"])
def test_a_plugin_for_other_hooks_is_not_called(
    plugins: Plugins, install: Install, known: str
) -> None:
    plugins.load(
        install("polster-plugin-s3", f"polster_api = {known!r}\n" + GOOD.format(name="s3"))
    )
    (noted,) = plugins.noted
    assert noted.problem == (
        f"it is for version {known} of the hooks, and this Polster has {hookspecs.API}"
    )
    assert (
        noted.hint == "install versions that fit:  pip install --upgrade polster-plugin-s3 polster"
    )
    with pytest.raises(PluginError, match="storage s3: the plugin polster-plugin-s3"):
        plugins.choose(StorageBackend, "s3")


def test_an_implementation_takes_the_arguments_that_it_wants(
    plugins: Plugins, install: Install
) -> None:
    """So a hook may get more of them: all, some, none, any."""
    for name, arguments in {"a": "context", "b": "", "c": "context=None"}.items():
        body = f"return [NewFile(path=PurePosixPath({name!r}), text='')]"
        install_files(plugins, install, name, f"def polster_project_files({arguments}): {body}")
    context = ProjectContext(name="shop", storage="local")
    assert sorted(plugins.project_files(lambda _: context)) == ["a", "b", "c"]


def test_what_will_go_away_still_works_and_says_until_when(install: Install) -> None:
    """Who it is, what they use, what takes its place, and the version."""
    gone = {
        "polster_storage_backends": Deprecation(until="2.0", instead="implement polster_stores"),
        "polster_project_files(context)": Deprecation(until="1.5", instead="take project"),
    }
    plugins = Plugins(gone)
    plugins.load(install("polster-plugin-s3", GOOD.format(name="s3")))
    install_files(plugins, install, "files", "def polster_project_files(context): return []")
    install_files(plugins, install, "none", "def polster_project_files(): return []")
    assert list(plugins.offers(StorageBackend)) == ["s3"]
    assert {one.name: (one.status, one.notes) for one in plugins.noted} == {
        "files": (
            Status.ACTIVE,
            (
                (
                    "polster_project_files(context) goes away with version 1.5 of the hooks "
                    f"(this is {hookspecs.API}): take project"
                ),
            ),
        ),
        "polster-plugin-s3": (
            Status.ACTIVE,
            (
                (
                    "polster_storage_backends goes away with version 2.0 of the hooks "
                    f"(this is {hookspecs.API}): implement polster_stores"
                ),
            ),
        ),
    }


def test_a_plugin_cannot_change_what_others_are_given(plugins: Plugins, install: Install) -> None:
    """Neither by the mappings nor by force."""
    force = "object.__setattr__(context, 'name', 'mine'); return []"
    see = "return [NewFile(path=PurePosixPath(context.name), text='')]"
    install_files(plugins, install, "z", f"def polster_project_files(context): {force}")
    install_files(plugins, install, "a", f"def polster_project_files(context): {see}")
    context = ProjectContext(name="shop", storage="local")
    (seen,) = plugins.project_files(lambda _: context)["a"]
    assert isinstance(seen, NewFile)
    assert (str(seen.path), context.name) == ("shop", "shop")


def install_files(plugins: Plugins, install: Install, name: str, hook: str) -> None:
    """Install and load a plugin that has one hook."""
    head = (
        "from pathlib import PurePosixPath\n"
        "from polster_core.hookspecs import hookimpl\n"
        "from polster_core.types import NewFile\n\n@hookimpl\n"
    )
    plugins.load(install(f"polster-plugin-{name}", f"{head}{hook}\n", entry=name))


def test_an_unpackaged_plugin(plugins: Plugins) -> None:
    class Nothing:
        pass

    plugins.register(Nothing(), "nothing")
    assert info(plugins, "nothing").source == "unpackaged"
    plugins.register(None, "none")
    assert info(plugins, "none").status is Status.ACTIVE
