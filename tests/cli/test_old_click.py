"""The versions of click that Polster allows: what older ones lack is not used when it starts."""

from __future__ import annotations

import runpy
from typing import Any

import click
import pytest

from polster_core.cli import params


class OldParamType(click.ParamType[Any]):
    """As it was before click 8.4: not generic."""

    __class_getitem__ = None  # type: ignore[assignment]


def test_types_of_parameters_need_no_generic_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "ParamType", OldParamType)
    with pytest.raises(TypeError):
        click.ParamType[str]
    assert params.__file__ is not None
    made = runpy.run_path(params.__file__)
    assert issubclass(made["CronLine"], OldParamType)
    assert made["CronLine"]().convert("0 5 * * *", None, None) == "0 5 * * *"
