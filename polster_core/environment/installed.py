"""What is installed in an environment, and whether all of it is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

_PATTERNS = ("lib/python3.*/site-packages", "Lib/site-packages")


def sites(environment: Path) -> list[Path]:
    """Return the folders that packages are in."""
    return [site for pattern in _PATTERNS for site in environment.glob(pattern)]


def versions(environment: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield the versions of those packages that are installed: `polars 2.1.0`."""
    path = [str(site) for site in sites(environment)]
    for name in names:
        yield from (f"{name} {one.version}" for one in distributions(name=name, path=path))


def count(environment: Path) -> int:
    """Return how many packages are installed."""
    return sum(len(list(site.glob("*.dist-info"))) for site in sites(environment))


def incomplete(environment: Path) -> list[str]:
    """Return the packages of which a folder is missing; installers take those for installed."""
    path = [str(site) for site in sites(environment)]
    return sorted(one.name for one in distributions(path=path) if _lacks_a_folder(one))


def _lacks_a_folder(package: Distribution) -> bool:
    root = Path(str(package.locate_file("")))
    return any(not (root / folder).is_dir() for folder in _folders(package))


def _folders(package: Distribution) -> set[str]:
    """Return the folders of a package's files, as its RECORD has them."""
    files = (line.rpartition(",sha256")[0] for line in _record(package))
    folders = {file.rpartition("/")[0] for file in files}
    return {one for one in folders if one and not one.startswith(("..", "/", '"'))}


def _record(package: Distribution) -> Iterator[str]:
    """Yield the lines that have a digest: not those of byte code, which anybody may delete."""
    record = package.read_text("RECORD") or ""
    yield from (line for line in record.splitlines() if ",sha256" in line)
