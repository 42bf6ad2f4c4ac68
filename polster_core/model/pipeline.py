"""A pipeline as its files describe it: frozen values and pure questions about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar

from polster_core.errors import UsageProblem
from polster_core.model.contributed import check_name
from polster_core.model.facts import Core, Definition, Dependency, Fault, Package, Registration
from polster_core.model.layers import AssetId, Layer
from polster_core.model.names import did_you_mean

_OF_CLASS = re.compile(r"(\w+?)PartitionsDefinition\b")


class AssetNameError(UsageProblem):
    """A text that names no asset, or more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An asset and its files; a file is `None` where it is missing.

    `definitions` holds more than one where the key is defined more than once, and none where
    the Dagster file is missing or cannot be read. `core` is `None` where the core file is missing,
    cannot be parsed, or was not asked for.
    """

    id: AssetId
    key: str
    core_file: PurePosixPath | None = None
    asset_file: PurePosixPath | None = None
    test_file: PurePosixPath | None = None
    definitions: tuple[Definition, ...] = ()
    registrations: tuple[Registration, ...] = ()
    core: Core | None = None

    def __str__(self) -> str:
        """Return the stem: `silver_orders`."""
        return self.id.stem

    @property
    def layer(self) -> Layer:
        """The asset's layer."""
        return self.id.layer

    @property
    def name(self) -> str:
        """The asset's name without its layer."""
        return self.id.name

    @property
    def is_function(self) -> bool:
        """Whether it is an @asset function that computes by itself, without a core file."""
        return self.core_file is None and any(one.computes for one in self.definitions)

    @property
    def deps(self) -> tuple[Dependency, ...]:
        """What the asset declares, in the order in which it is written."""
        return self.definitions[0].deps if self.definitions else ()

    @property
    def partitions(self) -> str:
        """What kind of partitions it has, `daily`, or the name that they have; "" without."""
        text = self.definitions[0].partitions if self.definitions else ""
        found = _OF_CLASS.search(text)
        return found[1].lower() if found else text.rpartition(".")[2]

    @property
    def label(self) -> str:
        """The asset as a person sees it in a list: `silver_orders`, `silver_orders [daily]`."""
        return f"{self} [{self.partitions}]" if self.partitions else str(self)

    @property
    def description(self) -> str:
        """The first line of the Dagster function's docstring, or of what describes the core."""
        for text in (d.description for d in self.definitions):
            if text:
                return text
        return self.core.description if self.core else ""


@dataclass(frozen=True)
class Pipeline:
    """The assets of a project, bronze first, by name; the files beside them; what is broken.

    `others` are Dagster assets that belong to no layer; every command leaves them alone.
    `root` is the project's folder: paths everywhere else are relative to it.
    """

    root: Path
    assets: tuple[Asset, ...] = ()
    packages: Mapping[Layer, Package] = field(default_factory=dict)
    others: tuple[Definition, ...] = ()
    faults: tuple[Fault, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, Asset]:
        """Each asset under its Dagster key."""
        return {asset.key: asset for asset in self.assets}

    @cached_property
    def _by_layer(self) -> Mapping[Layer, tuple[Asset, ...]]:
        return {
            layer: tuple(asset for asset in self.assets if asset.layer is layer) for layer in Layer
        }

    @cached_property
    def _downstream(self) -> Mapping[str, tuple[Asset, ...]]:
        found: dict[str, list[Asset]] = {}
        for asset in self.assets:
            for key in dict.fromkeys(dependency.key for dependency in asset.deps):
                found.setdefault(key, []).append(asset)
        return {key: tuple(assets) for key, assets in found.items()}

    def in_layer(self, layer: Layer) -> tuple[Asset, ...]:
        """Return the assets of one layer, by name."""
        return self._by_layer[layer]

    def upstream(self, asset: Asset) -> tuple[Asset, ...]:
        """Return the existing assets that `asset` depends on directly, in declared order."""
        keys = dict.fromkeys(dependency.key for dependency in asset.deps)
        return tuple(self.by_key[key] for key in keys if key in self.by_key)

    def downstream(self, asset: Asset) -> tuple[Asset, ...]:
        """Return the assets that depend on `asset` directly."""
        return self._downstream.get(asset.key, ())

    def candidates(self, text: str, *, layer: Layer | None = None) -> tuple[Asset, ...]:
        """Return the assets that `text` may name: a key, a stem, `layer/name`, a name or a file."""
        if (exact := self.by_key.get(text)) and layer in {None, exact.layer}:
            return (exact,)
        word = PurePosixPath(text).stem if text.endswith(".py") else text.replace("/", "_")
        return tuple(
            asset
            for asset in self.assets
            if layer in {None, asset.layer} and word in {asset.name, asset.id.stem, asset.key}
        )

    def resolve(self, text: str, *, layer: Layer | None = None) -> Asset:
        """Return the one asset that `text` names, in `layer` if that is given.

        Raises AssetNameError, which lists the candidates or the nearest names.
        """
        found = self.candidates(text, layer=layer)
        if len(found) == 1:
            return found[0]
        if found:
            raise AssetNameError(
                f"{text} names more than one asset",
                hint=f"say which: {', '.join(str(asset) for asset in found)}",
            )
        raise self._unknown(text, layer)

    def _unknown(self, text: str, layer: Layer | None) -> AssetNameError:
        what = f"no {layer} asset" if layer else "no asset"
        there = self.assets if layer is None else self.in_layer(layer)
        if not there:
            return AssetNameError(f"{what} is called {text}: there are none yet")
        names = (name for asset in there for name in (asset.name, asset.id.stem))
        near = did_you_mean(text, names)
        if near:
            return AssetNameError(f"{what} is called {text}{near}")
        return AssetNameError(
            f"{what} is called {text}", hint="see them all with  polster list-assets"
        )


@dataclass(frozen=True, kw_only=True)
class AssetColumn:
    """A column that `polster list-assets --column NAME` shows besides the usual ones.

    `value` is called with the pipeline and one of its assets and returns the text of the cell; what
    the core files say is read for it.
    """

    kind: ClassVar[str] = "column"

    name: str
    summary: str
    value: Callable[[Pipeline, Asset], str]

    def __post_init__(self) -> None:
        """Refuse a name that would not make a good heading."""
        check_name(self.name)
