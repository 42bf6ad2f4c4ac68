"""What asset templates write, and what connectors read."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from polster_core.model.layers import AssetId, Layer
from polster_core.testing.offers import (
    SECRET,
    WIDE,
    OfferContract,
    check_parts,
    check_texts,
    files_of,
    init,
)
from polster_core.testing.projects import Ran, polster
from polster_core.types import AssetContext, AssetTemplate, EnvVar

_ASSET = "kit_orders"
_OTHER = "kit_refunds"
_UPSTREAM = {"silver": "bronze", "gold": "silver"}
_NOT_OURS = ("PYTHONPATH", "PROJECT_ROOT", "STORAGE_BACKEND", "VIRTUAL_ENV")
_TIMEOUT = 600.0


class AssetTemplateContract(OfferContract):
    """What `polster add-asset --template NAME` writes. Give `name`, and `answers` for options."""

    hook: ClassVar[str] = "polster_asset_templates"
    kind = AssetTemplate

    @pytest.fixture(scope="class")
    @classmethod
    def pristine(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return a project with an asset in bronze and one in silver, to copy from."""
        folder = tmp_path_factory.mktemp("pristine")
        init(folder, "--no-sample-assets").succeeded()
        root = folder / "shop"
        _add(root, "bronze", "kit_raw").succeeded()
        _add(root, "silver", "kit_clean", "--dependencies", "kit_raw").succeeded()
        return root

    @pytest.fixture
    def root(self, pristine: Path, tmp_path: Path) -> Path:
        """Return a project of the test's own."""
        return Path(shutil.copytree(pristine, tmp_path / "shop"))

    def test_it_is_in_the_help(self, tmp_path: Path) -> None:
        """With every option."""
        shown = polster(tmp_path, "add-asset", "--help", env=WIDE).succeeded().out
        assert self.name in shown.partition("--template [")[2].partition("]")[0].split("|")
        for option in self.offer().options:
            assert f"--{option.name}" in shown

    def test_the_project_has_the_asset(self, root: Path) -> None:
        """Its files, its registration, its requirements, its variables, in each of its layers.

        `polster validate` has nothing to say but that a function is not written yet.
        """
        for layer in self._layers():
            asset = AssetId(Layer(layer), _ASSET)
            self._write(root, layer).succeeded()
            files = files_of(root)
            assert str(asset.core_file) in files
            assert str(asset.asset_file) in files
            assert asset.key in files[str(asset.layer.init_file)]
            defined = ast.parse(files[str(asset.core_file)]).body
            functions = {node.name for node in defined if isinstance(node, ast.FunctionDef)}
            assert asset.layer.function in functions
            self._check_project(files)
            assert _errors(root, asset) == []

    def test_a_second_asset_leaves_the_first_alone(self, root: Path) -> None:
        """Modules that both use stay as they are, whatever somebody changed in them."""
        layer = self._layers()[0]
        self._write(root, layer).succeeded()
        before = files_of(root)
        self._write(root, layer, _OTHER).succeeded()
        after = files_of(root)
        changed = {path for path, text in before.items() if after.get(path) != text}
        assert changed <= {str(Layer(layer).init_file)}

    def test_it_goes_away_again(self, root: Path) -> None:
        """`polster remove-asset` leaves a project that is sound."""
        layer = self._layers()[0]
        self._write(root, layer).succeeded()
        polster(root, "remove-asset", "--layer", layer, "--name", _ASSET, "--force").succeeded()
        asset = AssetId(Layer(layer), _ASSET)
        assert str(asset.core_file) not in files_of(root)
        assert _errors(root, asset) == []

    def test_a_dry_run_writes_nothing(self, root: Path) -> None:
        """The plan is shown, and that is all."""
        before = files_of(root)
        self._write(root, self._layers()[0], _ASSET, "--dry-run").succeeded()
        assert files_of(root) == before

    def test_an_option_that_is_missing_is_named(self, root: Path) -> None:
        """Without a terminal nobody is asked."""
        before = files_of(root)
        for option in self.offer().options:
            if option.required:
                ran = self._write(root, self._layers()[0], without=option.name)
                assert ran.code != 0
                assert f"--{option.name}" in ran.err
        assert files_of(root) == before

    def _layers(self) -> tuple[str, ...]:
        offer = self.offer()
        assert isinstance(offer, AssetTemplate)
        return tuple(map(str, offer.layers))

    def _write(
        self, root: Path, layer: str, name: str = _ASSET, *options: str, without: str = ""
    ) -> Ran:
        flags = self.flags(without=without)
        upstream = {"silver": "kit_raw", "gold": "kit_clean"}.get(layer)
        needed = ["--dependencies", upstream] if upstream else []
        return _add(root, layer, name, "--template", self.name, *needed, *flags, *options)

    def _env(self) -> list[EnvVar]:
        """Return the variables of the asset, those included that depend on the answers."""
        offer = self.offer()
        assert isinstance(offer, AssetTemplate)
        defaults = {one.name: one.default for one in offer.options if one.default is not None}
        context = AssetContext(
            project="shop",
            asset=AssetId(Layer(self._layers()[0]), _ASSET),
            description="",
            docstring='""""""',
            answers={**defaults, **self.given()},
        )
        return [*offer.env, *offer.env_of(context)]

    def _check_project(self, files: Mapping[str, str]) -> None:
        for requirement in self.offer().requirements:
            assert (
                requirement in files["pyproject.toml"].replace("'", '"')
                or requirement in (files["pyproject.toml"])
            )
        for variable in self._env():
            assert f"{variable.name}=" in files[".env.example"]
        check_parts(files, self.offer().runtime)
        assert [path for path, text in files.items() if SECRET in text] in ([], [".env"])
        check_texts(files)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a connector reads in a test: something that answers, and how it is reached.

    `python` has what a generated project and the template require. `variables` are the environment
    with which it answers, `rows` are how many rows the asset then has. `wrong` are variables on
    top of these with which it refuses (a wrong password). `files` are written into the project.
    """

    python: Path
    rows: int
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    wrong: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Mapping[str, str] = field(default_factory=dict)


class ConnectorContract(AssetTemplateContract):
    """What a template that reads from somewhere does. Give `name`, `answers`, fixture `source`."""

    group: ClassVar[str] = "polster_runtime.sources"

    @pytest.fixture
    def source(self) -> Source:
        """Return what is read; all tests may share one."""
        raise NotImplementedError("give a fixture `source`: a Source")

    def test_it_reads(self, root: Path, source: Source) -> None:
        """Twice, and the second time is no error."""
        self._write(root, "bronze").succeeded()
        for _ in range(2):
            done = _run(root, source, source.variables)
            assert done.returncode == 0, done.stdout + done.stderr
        assert _rows(root, source) == source.rows

    def test_a_refusal_is_told_without_the_secret(self, root: Path, source: Source) -> None:
        """The run fails, says so, and prints no value of a secret variable."""
        if not source.wrong:
            return
        self._write(root, "bronze").succeeded()
        given = {**source.variables, **source.wrong}
        done = _run(root, source, {**given, "SOURCE_RETRIES": "0"})
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert said.strip()
        for variable in self._env():
            if variable.secret and given.get(variable.name):
                assert given[variable.name] not in said


def _add(root: Path, layer: str, name: str, *options: str) -> Ran:
    return polster(root, "add-asset", "--layer", layer, "--name", name, *options, env=WIDE)


def _errors(root: Path, asset: AssetId) -> list[str]:
    """Return what is wrong with the project because of an asset, but that it is not written."""
    found = json.loads(polster(root, "validate", "--json").out)["problems"]
    return [
        f"{one['path']}:{one['line']}: {one['message']}"
        for one in found
        if one["severity"] == "error" and one["rule"] != "stub" and asset.name in json.dumps(one)
    ]


_READ = """
import sys
import polars as pl
from core.storage import read
print(read(sys.argv[1]).select(pl.len()).collect().item())
"""


def _run(root: Path, source: Source, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    for path, text in source.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return _python(root, source, [f"src/core/bronze_{_ASSET}.py"], env)


def _rows(root: Path, source: Source) -> int:
    done = _python(root, source, ["-c", _READ, f"bronze_{_ASSET}"], source.variables)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def _python(
    root: Path, source: Source, args: list[str], env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    ours = {name: text for name, text in os.environ.items() if name not in _NOT_OURS}
    return subprocess.run(  # noqa: S603 - the project's Python
        [source.python, *args],
        check=False,
        cwd=root,
        env={**ours, "PYTHONPATH": str(root / "src"), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=_TIMEOUT,
    )
