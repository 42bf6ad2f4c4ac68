"""Projects for tests: from a dict, with faultless assets, and commands that run in them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from textwrap import dedent
from unittest import mock

from polster_core.cli.main import dispatch
from polster_core.delivery import version
from polster_core.model.layers import AssetId, Layer
from polster_core.plugins.installed import installed

PLUMBING = {
    "src/polster_runtime/__init__.py": f"""\
__version__ = "{version()}"
Append = Frames = New = Own = Position = Touched = Upsert = None


def run(function): ...
""",
    "src/orchestration/utils.py": (
        "ON_UPSTREAM_SUCCESS = Results = materialize = None\ncontract_check = drift_check = None\n"
    ),
    "src/orchestration/definitions.py": "from orchestration.assets import bronze, gold, silver\n",
}
"""Files that stand in for the generated runtime: what reads a project looks for their names."""
PYPROJECT = '[project]\nname = "shop"\n\n[tool.polster]\nversion = "0.1.0"\n'


@dataclass(frozen=True)
class Ran:
    """What became of a command: its exit code, its stdout, its stderr."""

    code: int
    out: str
    err: str

    def succeeded(self) -> Ran:
        """Return itself; raises AssertionError, with all that was said, unless it ended with 0."""
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self

    @property
    def warnings(self) -> str:
        """Its stderr without notes, which tell what may be done and not that something is wrong."""
        lines = self.err.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("note: "))


def polster(root: Path, *args: str, env: Mapping[str, str] | None = None) -> Ran:
    """Run one command line in a folder: in this process, without a terminal.

    The plugins are found again; modules that were imported before stay as they are. `env` is added
    to the environment.
    """
    out, err = StringIO(), StringIO()
    installed.cache_clear()
    try:
        with (
            chdir(root),
            mock.patch.dict(os.environ, {"PWD": str(root), **(env or {})}),
            mock.patch.object(sys, "stdin", StringIO()),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = dispatch(args)
    finally:
        installed.cache_clear()
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class ProjectFolder:
    """A project on disk, and what a test does with it."""

    root: Path

    def polster(self, *args: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run a command in it, in this process."""
        return polster(self.root, *args, env=env)

    def tree(self) -> dict[str, str]:
        """Return its files with their texts."""
        return tree(self.root)

    def read(self, path: str) -> str:
        """Return the text of one file."""
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, unindented."""
        write(self.root, files)


def tree(root: Path) -> dict[str, str]:
    """Return every file below a folder with its text, and every link with where it points."""
    return {
        path.relative_to(root).as_posix(): f"-> {path.readlink()}"
        if path.is_symlink()
        else path.read_bytes().decode(errors="replace")
        for path in sorted(root.rglob("*"))
        if path.is_file() or path.is_symlink()
    }


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files, unindented, below a folder."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text), encoding="utf-8", newline="")


def faultless(assets: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the files of a faultless project: `{"silver_orders": ["bronze_orders"]}`."""
    ids = {_id(stem): [_id(dep) for dep in deps] for stem, deps in assets.items()}
    files = dict(PLUMBING)
    for asset, deps in ids.items():
        files[str(asset.core_file)] = core_file(asset, deps)
        files[str(asset.asset_file)] = asset_file(asset, deps)
    for layer in Layer:
        files[str(layer.init_file)] = init_file(
            layer, [one.key for one in ids if one.layer is layer]
        )
    return files


_CORE = '''"""{layer}: {name}."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row of {stem} promises."""

    id = dy.Int64(primary_key=True)


def {function}({arguments}) -> pl.LazyFrame:
    """The {name}."""
    return {result}


if __name__ == "__main__":
    run({function})
'''


def core_file(asset: AssetId, deps: Iterable[AssetId]) -> str:
    """Return a core file with nothing wrong; `def` is in line 15."""
    names = [dep.name for dep in deps]
    return _CORE.format(
        layer=asset.layer.capitalize(),
        name=asset.name,
        stem=asset.stem,
        function=asset.layer.function,
        arguments=", ".join(f"{name}: pl.LazyFrame" for name in names),
        result=names[0] if names else 'pl.LazyFrame({"id": [1]})',
    )


def asset_file(asset: AssetId, deps: Iterable[AssetId]) -> str:
    """Return the Dagster file of an asset, as Polster writes it."""
    layer = asset.layer
    check = "drift_check" if layer is Layer.BRONZE else "contract_check"
    keys = ", ".join(f'"{dep.key}"' for dep in deps)
    declared = f"    deps=[{keys}],\n" if keys else ""
    return (
        f'"""The Dagster asset of {asset.core_file}."""\n\n'
        "import dagster as dg\n\n"
        f"from {asset.core_module} import {layer.function}\n"
        f"from orchestration.utils import ON_UPSTREAM_SUCCESS, Results, {check}, materialize\n\n\n"
        "@dg.asset(\n"
        f'    group_name="{layer}",\n'
        f'    kinds={{"{layer}", "polars"}},\n'
        + declared
        + "    automation_condition=ON_UPSTREAM_SUCCESS,\n"
        f'    check_specs=[{check}("{asset.key}")],\n'
        ")\n"
        f"def {asset.key}(context: dg.AssetExecutionContext) -> Results:\n"
        f'    """The {asset.name} of {layer}."""\n'
        f"    yield from materialize(context, {layer.function})\n"
    )


def init_file(layer: Layer, keys: Iterable[str]) -> str:
    """Return a layer's `__init__.py`, as Polster writes it."""
    ordered = sorted(keys)
    imports = "".join(f"from {layer.package}.{key} import {key}\n" for key in ordered)
    exported = ", ".join(f'"{key}"' for key in ordered)
    return f'"""The {layer} assets."""\n\n{imports}\n__all__ = [{exported}]\n'


def _id(stem: str) -> AssetId:
    asset = AssetId.parse(stem)
    assert asset is not None, stem
    return asset
