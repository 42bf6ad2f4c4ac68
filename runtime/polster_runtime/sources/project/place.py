"""Where another project keeps its data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config import dotenv_files
from polster_runtime.config.environment import variables
from polster_runtime.config.root import project_root
from polster_runtime.errors import SettingsError, SourceError
from polster_runtime.storage.store import Store

ADLS_SCHEMES = {"abfs", "abfss"}


def store_of(folder: str, connection: str) -> Store:
    """The store of a project: the one that CONNECTION_DATA says, else what its own files say.

    Raises SettingsError, and SourceError where neither tells.
    """
    if place := variables().get(f"{connection}_DATA", "").strip():
        return _store_at(place, connection)
    root = (project_root() / folder).resolve()
    if not (root / "pyproject.toml").is_file():
        raise SourceError(
            f"there is no project in {root}; say where its data is: {connection}_DATA", final=True
        )
    known = dotenv_files.values(root=root)
    backend = known.get("STORAGE_BACKEND") or "local"
    if backend == "local":
        return _local(root / (known.get("DATA_DIR") or "data"))
    if backend == "adls":
        return _lake({"ADLS_BASE_PATH": f"{_name(root)}/data", **known}, connection)
    raise SourceError(
        f"the project in {root} keeps its data with {backend}; say where that is, as a URL: "
        f"{connection}_DATA",
        final=True,
    )


def _store_at(place: str, connection: str) -> Store:
    """The store at a path or a URL."""
    address = urlsplit(place)
    if len(address.scheme) < 2:  # none, or the drive of a path of Windows
        return _local(project_root() / Path(place).expanduser())
    if address.scheme in ADLS_SCHEMES:
        container, _, host = address.netloc.partition("@")
        given = {
            "ADLS_ACCOUNT_NAME": host.partition(".")[0],
            "ADLS_CONTAINER": container,
            "ADLS_BASE_PATH": address.path.strip("/"),
        }
        own = {name: text for name, text in given.items() if text}
        return _lake({**_own(connection), **own}, connection)
    from fsspec.core import url_to_fs

    try:
        fs, root = url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{connection}_DATA: {error}", final=True) from None
    return Store(fs, root.rstrip("/"))


def _local(folder: Path) -> Store:
    return Store(LocalFileSystem(), folder.resolve().as_posix())


def _own(connection: str) -> Mapping[str, str]:
    """How to be let into the other's cloud: CRM_ADLS_ACCOUNT_KEY, and so on."""
    start = f"{connection}_"
    return {
        name.removeprefix(start): text
        for name, text in variables().items()
        if name.startswith(f"{start}ADLS_")
    }


def _lake(given: Mapping[str, str], connection: str) -> Store:
    try:
        from polster_runtime.storage.backends.adls.access import Access
        from polster_runtime.storage.backends.adls.data_lake import DataLake
    except ModuleNotFoundError:
        raise SourceError(
            f"the data of {connection.lower()} is in Azure, which this project cannot read yet: "
            "polster storage add adls",
            final=True,
        ) from None
    texts = {one.name: given.get(one.name.upper(), "") for one in fields(Access)}
    known: dict[str, Any] = {name: text for name, text in texts.items() if text}
    known.pop("adls_fallback_to_local", None)  # what is read is there, or is not
    try:
        return DataLake.open(Access(**known))
    except SettingsError as error:  # which are not those of this project
        raise SettingsError(f"{connection.lower()}: {error}") from None


def _name(root: Path) -> str:
    """The name of a project, as its pyproject.toml says it."""
    found = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    named = found.get("tool", {}).get("polster", {}).get("name")
    return str(named or found.get("project", {}).get("name") or root.name)
