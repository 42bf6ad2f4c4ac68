"""What a stranger's plugin offers to run steps on other machines."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from polster_core.errors import PluginError
from polster_core.hookspecs import hookimpl
from polster_core.plugins.manager import Plugins
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
