"""Which names projects and assets may have, and what a mistyped name probably meant."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Iterable

from polster_core.errors import UsageProblem
from polster_core.model.required_names import REQUIRED

MAX_LENGTH = 100
"""Characters. File names may have 255 and Windows paths 260, and names are parts of both."""

_ASSET = re.compile(r"[a-z][a-z0-9_]*")
KEY_PREFIX = re.compile(r"(?!(?:bronze|silver|gold)$)[A-Za-z][A-Za-z0-9_-]*")
"""What the keys of a project's assets may begin with in Dagster; the runtime checks the same."""
_PROJECT = re.compile(r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_LAYER = re.compile(r"^(run_)?(bronze|silver|gold)_(?=[a-z])")

# Python 3.11 does not know yet that `type` is a soft keyword, and the rule must not vary.
_WORDS = frozenset({*keyword.kwlist, *keyword.softkwlist, "type"})
# Import names that a generated project has at the top of sys.path, `python src/core/x.py` included.
_PROJECT_MODULES = frozenset(
    [
        "connectors",
        "core",
        "orchestration",
        "paths",
        "run_polster",
        "runtime",
        "settings",
        "src",
        "storage",
        "tests",
    ]
)
# Import names of the libraries that generated projects use, and the aliases they are used under.
_LIBRARIES = frozenset(
    [
        "adlfs",
        "apprise",
        "azure",
        "dagster",
        "dagster_dg_cli",
        "dagster_webserver",
        "dataframely",
        "dg",
        "dotenv",
        "dy",
        "fsspec",
        "hatchling",
        "httpx",
        "numpy",
        "pandas",
        "paramiko",
        "pip",
        "pl",
        "polars",
        "polster",
        "polster_core",
        "pyarrow",
        "pymysql",
        "pytest",
        "python_dotenv",
        "ruff",
        "setuptools",
        "sqlalchemy",
        "uv",
    ]
)
# The runtime passes these to core functions itself: an asset of that name could not be a parameter.
_PARAMETERS = frozenset({"partition", "position"})
# Files of these names cannot exist on Windows, with any extension:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "clock"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in range(10)}
)


def check_asset_name(name: str) -> str:
    """Return `name` if an asset may be called that; raises UsageProblem with a better one."""
    if problem := asset_name_problem(name):
        raise UsageProblem(
            f"{_shown(name)} cannot be an asset's name: {problem}",
            hint=f"for example  {suggest_asset_name(name)}",
        )
    return name


def check_project_name(name: str) -> str:
    """Return `name` if a project may be called that; raises UsageProblem with a better one."""
    if problem := project_name_problem(name):
        raise UsageProblem(
            f"{_shown(name)} cannot be a project's name: {problem}",
            hint=f"for example  {suggest_project_name(name)}",
        )
    return name


def distribution_problem(name: str) -> str | None:
    """Say why a project of that name could not be installed; `None` if it can."""
    if re.sub(r"[-_.]+", "-", name).lower() in REQUIRED:
        return "a package that every project needs has that name"
    return None


def check_package_name(name: str) -> str:
    """Return `name` if a package may be called that; raises UsageProblem."""
    if not _ASSET.fullmatch(name):
        problem: str | None = "use lower-case letters, digits and _, and start with a letter"
    elif name in sys.stdlib_module_names:
        problem = "a module of Python's standard library has that name"
    else:
        problem = _trap(name) or distribution_problem(name)
    if problem:
        raise UsageProblem(f"{_shown(name)} cannot be a package's name: {problem}")
    return name


def check_key_prefix(prefix: str) -> str:
    """Return `prefix` if keys of assets may begin with it; raises UsageProblem."""
    if not KEY_PREFIX.fullmatch(prefix):
        raise UsageProblem(
            f"{_shown(prefix)} cannot be a key prefix: use letters, digits, - and _, "
            "start with a letter, and do not name a layer",
            hint="for example  lake",
        )
    return prefix


def suggest_package_name(name: str) -> str:
    """Turn the name of a project into a good one of a package."""
    return suggest_asset_name(name)


def asset_name_problem(name: str) -> str | None:
    """Say what is wrong with an asset's name, without its layer; `None` if nothing is."""
    if problem := _length_problem(name):
        return problem
    if not _ASSET.fullmatch(name):
        return "use lower-case letters, digits and _, and start with a letter"
    if name in _PARAMETERS:
        return "core functions have a parameter of that name, which the project fills"
    return _trap(name)


def project_name_problem(name: str) -> str | None:
    """Say what is wrong with a project's name; `None` if nothing is."""
    if problem := _length_problem(name):
        return problem
    if not _PROJECT.fullmatch(name):
        return "use letters, digits, - and _, start with a letter, and end with a letter or digit"
    word = name.lower().replace("-", "_")
    if word in sys.stdlib_module_names:
        return "a module of Python's standard library has that name"
    return _trap(word) or distribution_problem(name)


def suggest_asset_name(name: str) -> str:
    """Turn any text into a good asset name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _ascii(name)).lower()
    base = re.sub(r"[^a-z0-9]+", "_", words).lstrip("_0123456789").rstrip("_")
    base = _LAYER.sub("", base)[: MAX_LENGTH // 2].rstrip("_") or "orders"
    better = (base, f"{base}_data", f"{base}_table")  # Python itself has a module pydoc_data
    return next(name for name in better if asset_name_problem(name) is None)


def suggest_project_name(name: str) -> str:
    """Turn any text into a good project name."""
    last = re.split(r"[/\\]", _ascii(name).rstrip("/\\"))[-1]
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", last).lstrip("-_0123456789").rstrip("-_")
    base = base[: MAX_LENGTH // 2].rstrip("-_") or "shop"
    better = (base, f"{base}-data", f"{base}-project")
    return next(name for name in better if project_name_problem(name) is None)


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `word` is probably a slip of, if one is near enough."""
    import difflib

    known = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.casefold(), known, n=1)
    return known[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return `". Did you mean orders?"`, to be put behind a sentence; "" if nothing is near."""
    near = closest(word, candidates)
    return f". Did you mean {near}?" if near else ""


def _length_problem(name: str) -> str | None:
    if not name.strip():
        return "it is empty"
    if len(name) > MAX_LENGTH:
        return f"it has {len(name)} characters, and {MAX_LENGTH} are the most"
    return None


def _trap(name: str) -> str | None:
    """Say what a well-formed, lower-case name would collide with."""
    if {name, name.capitalize()} & _WORDS:
        return "it is a word of the Python language"
    if name in _PROJECT_MODULES:
        return "a module of the generated project has that name"
    if name in _LIBRARIES:
        return "a library that the generated project uses has that name"
    if name in _DEVICES:
        return "Windows reserves it for a device"
    return None


def _ascii(text: str) -> str:
    latin = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return latin.encode("ascii", "ignore").decode()


def _shown(name: str) -> str:
    """Quote a name for a message, shortened and with control characters made visible."""
    return repr(name if len(name) <= 40 else f"{name[:37]}...")  # noqa: PLR2004
