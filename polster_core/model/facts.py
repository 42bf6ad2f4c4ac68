"""What single files of a project say: frozen values, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from polster_core.model.layers import AssetId


class Place(NamedTuple):
    """A position in a file of the project; line and column count from 1."""

    path: PurePosixPath
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        """Return `path:line:column`."""
        return f"{self.path}:{self.line}:{self.column}"


class Fault(NamedTuple):
    """Something that kept a file from being read; `rule` is its name in `polster validate`."""

    rule: str
    place: Place
    message: str


class Form(StrEnum):
    """How a dependency is written in the Dagster file."""

    KEY = "key"
    FUNCTION = "function"
    INPUT = "input"
    PARAMETER = "parameter"


class Dependency(NamedTuple):
    """One declared dependency: the key of the upstream asset, where and how it is written.

    `key` is a text in `deps` (KEY) or in `ins` (INPUT), the name of an asset's function in `deps`
    (FUNCTION), or that of a parameter of the Dagster function (PARAMETER). `written` is what stands
    there, where that is another spelling of the key.
    """

    key: str
    place: Place
    form: Form = Form.KEY
    written: str = ""

    @property
    def id(self) -> AssetId | None:
        """The upstream asset by its name; `None` if the key is not `run_LAYER_NAME`."""
        return AssetId.parse(self.key)

    @property
    def elsewhere(self) -> tuple[str, AssetId] | None:
        """Another project's key prefix and its asset, as `crm/run_gold_customers` names them."""
        prefix, _, last = self.key.rpartition("/")
        asset = AssetId.parse(last) if prefix and last.startswith("run_") else None
        return (prefix, asset) if asset else None

    @property
    def shown(self) -> str:
        """The upstream asset as a person reads it: silver_orders, crm/gold_customers."""
        if found := self.elsewhere:
            return f"{found[0]}/{found[1]}"
        return str(self.id or self.key)


class Unread(NamedTuple):
    """Something that only running the file would tell; it is reported, never guessed."""

    what: str
    place: Place


class Import(NamedTuple):
    """One imported name: `from module import name as alias`; `name` is "" for `import module`.

    `place` is that of the name, `statement` that of the whole statement.
    """

    module: str
    name: str
    alias: str
    place: Place
    statement: Place


@dataclass(frozen=True, slots=True)
class Definition:
    """One Dagster asset as its file declares it; `function` and `place` are those of its def.

    `imports` are those of the whole file. `computes` says that the function itself takes and
    returns frames, and no core file is behind it. `partitions` is the text of its
    `partitions_def`, a name or a definition; empty for an asset without partitions.
    """

    key: str
    function: str
    place: Place
    deps: tuple[Dependency, ...] = ()
    unread: tuple[Unread, ...] = ()
    group: str | None = None
    description: str = ""
    imports: tuple[Import, ...] = ()
    computes: bool = False
    partitions: str = ""


class Parameter(NamedTuple):
    """One parameter of a core function; `kind` is "", "/" (by position only), "*" or "**"."""

    name: str
    place: Place
    annotation: str = ""
    required: bool = True
    kind: str = ""


class Annotation(NamedTuple):
    """What a function says that it returns, as it is written."""

    text: str
    place: Place


class Access(NamedTuple):
    """A place where a core file reaches for data; `text` is the call, `target` its path.

    `asset` is the other asset whose function is imported, if that is how it is reached.
    """

    text: str
    place: Place
    target: str = ""
    asset: AssetId | None = None


@dataclass(frozen=True, slots=True)
class Core:
    """A core file: its function (the layer's), what that takes, and what surrounds it.

    `stub`, `contract` and `duplicate` are where the function is not written, where the class
    Contract is, and where the function is defined again. An empty contract names no columns;
    `columns` are those of the contract, and `primary_key` those that say so; both are `None` where
    only running the file would tell.
    `runs` says whether running the file does anything.
    """

    path: PurePosixPath
    description: str = ""
    function: str | None = None
    place: Place | None = None
    parameters: tuple[Parameter, ...] = ()
    returns: Annotation | None = None
    stub: Place | None = None
    contract: Place | None = None
    empty_contract: bool = False
    columns: tuple[str, ...] | None = None
    primary_key: tuple[str, ...] | None = None
    duplicate: Place | None = None
    accesses: tuple[Access, ...] = ()
    imports: tuple[Import, ...] = ()
    names: frozenset[str] = frozenset()
    runs: bool = True


class Registration(NamedTuple):
    """One import of an asset in a layer's `__init__.py`.

    `module` is written in full. `key` is the imported name, "*" for all of a module's names, and ""
    where the module itself is imported; `alias` is what it is called in the package.
    """

    key: str
    alias: str
    module: str
    place: Place


@dataclass(frozen=True, slots=True)
class Package:
    """A layer's `__init__.py`: what it imports, and what its `__all__` lists.

    `exported` is `None` where there is no `__all__`; `unread` says what could not be read.
    """

    path: PurePosixPath
    exists: bool
    registrations: tuple[Registration, ...] = ()
    exported: tuple[Dependency, ...] | None = None
    unread: tuple[Unread, ...] = ()
    imports: tuple[Import, ...] = ()
