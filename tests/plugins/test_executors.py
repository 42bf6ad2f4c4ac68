"""What a stranger's plugin offers to run steps on other machines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from polster_core.errors import PluginError
from polster_core.hookspecs import hookimpl
from polster_core.plugins.manager import Plugins
from polster_core.testing.projects import polster
from polster_core.types import Executor, Option, RuntimePart

RAY = RuntimePart(package="polster_runtime.dagster.engines.dask", executor="ray")
"""A package that is there: nothing is run of it."""


class Stranger:
    """A plugin for Ray."""

    def __init__(self, *parts: RuntimePart) -> None:
        """Take the parts of its runtime."""
        self.parts = parts

    @hookimpl
    def polster_executors(self) -> Iterable[Executor]:
        """Offer `ray`."""
        yield Executor(name="ray", summary="A Ray cluster", runtime=self.parts)


def test_it_is_offered_by_its_name() -> None:
    plugins = Plugins()
    plugins.register(Stranger(RAY), "ray")
    assert plugins.choose(Executor, "ray").runtime == (RAY,)
    assert plugins.broken == []


def test_one_that_the_runtime_would_not_find_is_refused() -> None:
    plugins = Plugins()
    plugins.register(Stranger(), "ray")
    with pytest.raises(PluginError, match="no part of its runtime says executor='ray'"):
        plugins.choose(Executor, "ray")


def test_one_with_options_is_refused() -> None:
    with pytest.raises(ValueError, match="an executor has variables, and no options"):
        Executor(name="ray", summary="Ray", options=(Option(name="x", help="X."),))


def test_a_project_that_is_made_with_one_is_as_one_that_gets_it(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("with", "later")]
    for root in made:
        root.mkdir()
    asked = ("--no-setup", "--no-git")
    done = polster(made[0], "init", "shop", *asked, "--executor", "dask")
    assert "EXECUTOR=dask, its settings, and DAGSTER_POSTGRES_URL" in done.succeeded().out
    polster(made[1], "init", "shop", *asked).succeeded()
    polster(made[1] / "shop", "executor", "add", "dask").succeeded()
    first, later = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in made
    )
    assert first.keys() == later.keys()
    different = {str(path) for path in first if first[path] != later[path]}
    assert {name for name in different if name.endswith(".py")} == set()
    for root in made:
        pyproject = (root / "shop" / "pyproject.toml").read_text("utf-8")
        assert '"distributed>=' in pyproject
        assert 'dask = "polster_runtime.dagster.engines.dask"' in pyproject
        example = (root / "shop" / ".env.example").read_text("utf-8")
        assert "DASK_SCHEDULER_ADDRESS=tcp://127.0.0.1:8786" in example
    for root in made:
        polster(root / "shop", "upgrade", "--check").succeeded()
