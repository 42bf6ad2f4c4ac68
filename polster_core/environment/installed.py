"""What is installed in an environment, and whether all of it is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import unquote

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


def python_version(environment: Path) -> str:
    """Return the version of its Python as the folders say, `3.11`; empty where they do not."""
    names = (part for site in sites(environment) for part in site.parts[-2:-1])
    return next((name[6:] for name in names if name.startswith("python3.")), "")


def shares_the_system(environment: Path) -> bool:
    """Whether it also has the packages of the Python that it was made from."""
    try:
        said = (environment / "pyvenv.cfg").read_text(encoding="utf-8").lower()
    except (OSError, ValueError):
        return False
    return "include-system-site-packages = true" in said


def editable(environment: Path) -> list[Path]:
    """Return the folders of which the code is installed without a copy of it."""
    found = []
    for site in sites(environment):
        for file in sorted(site.glob("*.dist-info/direct_url.json")):
            try:
                said = json.loads(file.read_text(encoding="utf-8"))
                if said["url"].startswith("file://") and said["dir_info"].get("editable"):
                    found.append(_path(said["url"]))
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue  # not what PEP 610 says
    return found


def holds(environment: Path, root: Path) -> bool:
    """Whether a project is installed in an environment, from its own folder."""
    return any(one.exists() and one.samefile(root) for one in editable(environment))


def _path(url: str) -> Path:
    path = unquote(url.removeprefix("file://"))
    return Path(path.lstrip("/") if sys.platform == "win32" else path)


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
