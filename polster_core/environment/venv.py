"""A project's own Python environment: `.venv`."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polster_core.environment import installed, process
from polster_core.environment.process import Listener
from polster_core.errors import PolsterError

PYTHONS = ((3, 11), (3, 12), (3, 13))
"""The versions that generated projects are tested with; their pyproject.toml says the same."""
_SHOWN = ("dagster", "polars")
_OLD = ".venv.old-"
_EXE = ".exe" if sys.platform == "win32" else ""


def folder(root: Path) -> Path:
    """Return where a project's environment is."""
    return root / ".venv"


def python(root: Path) -> Path:
    """Return the Python of a project's environment, whether or not it is there."""
    return process.scripts(folder(root)) / f"python{_EXE}"


def retry(root: Path) -> str:
    """Return the command that makes the environment, to be typed where we are."""
    here = Path.cwd()
    return (
        "polster setup"
        if here.is_relative_to(root)
        else f"cd {os.path.relpath(root)} && polster setup"
    )


def problem(root: Path) -> str | None:
    """Say why the environment cannot be used; `None` if it can."""
    if not folder(root).exists():
        return "there is no .venv"
    if not python(root).exists():
        return ".venv has no Python that exists"
    try:
        done = process.run(
            [python(root), "-c", "import sys; print(*sys.version_info[:2])"], cwd=root
        )
    except PolsterError as error:
        return f".venv: {error.reason}"
    version = done.lines[-1].split() if done.code == 0 and done.lines else []
    if tuple(map(int, version)) not in PYTHONS:
        return f".venv has Python {'.'.join(version)}" if version else ".venv has a broken Python"
    return None


def find_uv() -> Path | None:
    """Return uv, from PATH or from beside the Python that runs Polster."""
    if found := shutil.which("uv"):
        return Path(found)
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    beside = (Path(sysconfig.get_path("scripts", scheme), f"uv{_EXE}") for scheme in schemes)
    return next((path for path in beside if path.is_file()), None)


def install_uv(listener: Listener | None = None) -> str:
    """Install uv with pip into the Python that runs Polster; return what was done.

    Raises PolsterError where that Python has no pip, or belongs to the system's package manager.
    """
    if find_uv():
        return "uv is there already"
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "uv"]
    done = process.run(command, cwd=Path.cwd(), env=os.environ, listener=listener)
    if done.code == 0 and find_uv():
        return f"uv, beside {Path(sys.executable).name}"
    output = "\n".join(done.lines)
    if "No module named pip" in output:
        reason = f"uv cannot be installed: {sys.executable} has no pip"
    elif "externally-managed-environment" in output:
        reason = f"uv cannot be installed: {sys.executable} belongs to the operating system"
    else:
        raise PolsterError(
            f"uv could not be installed ({done.ending})",
            details=done.last_lines(),
            hint="without uv, pip is used",
        )
    raise PolsterError(reason, hint="install it another way:  pipx install uv")


def set_up(root: Path, *, force: bool = False, listener: Listener | None = None) -> str:
    """Create or repair the environment, with uv if it is there; return what is in it now.

    With `force` it is recreated; the present one comes back if that fails. Raises PolsterError with
    the last lines of the installer.
    """
    started = time.monotonic()
    for left in root.glob(f"{_OLD}*"):  # from a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    uv = find_uv()
    fresh = force or problem(root) is not None or (uv is None and not _has_pip(root))
    with _aside(root) if fresh else _as_it_is():
        if uv:
            _sync(uv, root, fresh=fresh, listener=listener)
        else:
            _pip(root, listener=listener)
        _complete(uv, root, listener=listener)
    seconds = time.monotonic() - started
    found = [*installed.versions(folder(root), _SHOWN)]
    what = ", ".join(found) or f"{installed.count(folder(root))} packages"
    return f"{what} ({seconds:.1f} s, {'uv' if uv else 'pip'})"


def _sync(uv: Path, root: Path, *, fresh: bool, listener: Listener | None) -> None:
    """Install with uv, which writes `uv.lock`; what else is installed stays."""
    which = ["--python", _interpreter() or _any_python()] if fresh else []
    _install([uv, "sync", "--inexact", "--extra", "dev", *which], root, listener)


def _pip(root: Path, *, listener: Listener | None) -> None:
    """Install with the standard library's venv and pip."""
    if not folder(root).exists():
        base = _interpreter()
        if base is None:
            wanted = " to ".join(".".join(map(str, v)) for v in (PYTHONS[0], PYTHONS[-1]))
            raise PolsterError(
                f"a project needs Python {wanted}, and there is none on PATH",
                hint="uv brings one:  polster init --install-uv, or https://docs.astral.sh/uv/",
            )
        _install([base, "-m", "venv", folder(root)], root, listener)
    options = ["--disable-pip-version-check", "--no-input"]
    _install([python(root), "-m", "pip", "install", *options, "-e", ".[dev]"], root, listener)


def _complete(uv: Path | None, root: Path, *, listener: Listener | None) -> None:
    """Install packages again of which a folder is missing; an installer does not look at them."""
    broken = installed.incomplete(folder(root))
    if not broken:
        return
    if uv:
        again = [part for name in broken for part in ("--reinstall-package", name)]
        _install([uv, "sync", "--inexact", "--extra", "dev", *again], root, listener)
    else:
        options = ["--disable-pip-version-check", "--no-input", "--no-deps", "--force-reinstall"]
        exact = list(installed.versions(folder(root), broken))
        names = [one.replace(" ", "==") for one in exact]
        _install([python(root), "-m", "pip", "install", *options, *names], root, listener)
    if left := installed.incomplete(folder(root)):
        raise PolsterError(
            f".venv lacks files of {', '.join(left)}, and installing them again did not help",
            hint="recreate it:  polster setup --force",
        )


def _install(command: list[str | Path], root: Path, listener: Listener | None) -> None:
    try:
        done = process.run(command, cwd=root, listener=listener)
    except process.InterruptedProgramError as error:
        raise process.InterruptedProgramError(
            "interrupted while installing", hint=f"try again with  {retry(root)}"
        ) from error
    if done.code == 0:
        return
    tool = " ".join(Path(part).name for part in map(str, command[:4]) if not part.startswith("-"))
    if "ensurepip is not available" in "\n".join(done.lines):
        raise PolsterError(
            "this Python cannot make environments: its ensurepip is missing",
            hint=f"install your system's package python3-venv, or uv, then  {retry(root)}",
        )
    raise PolsterError(
        f"installing failed: {tool}: {done.ending}",
        details=done.last_lines(),
        hint=f"try again with  {retry(root)}",
    )


def _has_pip(root: Path) -> bool:
    """Whether pip can be used there: uv makes environments without, and so does being killed."""
    return process.run([python(root), "-c", "import pip"], cwd=root).code == 0


def _interpreter() -> str | None:
    """Return a Python that projects are tested with: the one that runs Polster, if it is one."""
    if sys.version_info[:2] in PYTHONS and sys.executable:
        return sys.executable
    names = (f"python{major}.{minor}" for major, minor in reversed(PYTHONS))
    return next(filter(None, map(shutil.which, names)), None)


def _any_python() -> str:
    """Ask uv for any version that will do; it downloads one if need be."""
    (major, minor), (_, last) = PYTHONS[0], PYTHONS[-1]
    return f">={major}.{minor},<{major}.{last + 1}"


@contextmanager
def _aside(root: Path) -> Iterator[None]:
    """Put the present environment aside; it comes back if there is no new one."""
    present, old = folder(root), root / f"{_OLD}{os.getpid()}"
    if not os.path.lexists(present):
        yield
        return
    present.rename(old)
    try:
        yield
    except BaseException:
        shutil.rmtree(present, ignore_errors=True)
        old.rename(present)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield
