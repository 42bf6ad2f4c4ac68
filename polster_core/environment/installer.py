"""Make a project's environment, or bring it up to date: with uv, or with venv and pip."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from polster_core.environment import installed, own_command, process, requirements, venv
from polster_core.environment.process import Listener
from polster_core.environment.venv import PYTHONS, find_uv, folder, python, retry
from polster_core.errors import PolsterError

_SHOWN = ("dagster", "polars")
_OLD = ".old-"


def set_up(root: Path, *, force: bool = False, listener: Listener | None = None) -> str:
    """Create or repair the environment, with uv if it is there; return what is in it now.

    With `force` it is recreated; the present one comes back if that fails. Raises PolsterError with
    the last lines of the installer.
    """
    started = time.monotonic()
    present = folder(root)
    for left in present.parent.glob(f"{present.name}{_OLD}*"):  # from a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    uv = find_uv()
    fresh = force or venv.broken(root) is not None or (uv is None and not _has_pip(root))
    with _aside(root, present) if fresh else _as_it_is():
        if uv:
            _sync(uv, root, fresh=fresh, listener=listener)
        else:
            _pip(root, listener=listener)
        _complete(uv, root, listener=listener)
    own_command.link(present)
    seconds = time.monotonic() - started
    found = [*installed.versions(present, _SHOWN)]
    what = ", ".join(found) or f"{installed.count(present)} packages"
    return f"{what} ({seconds:.1f} s, {'uv' if uv else 'pip'})"


def _sync(uv: Path, root: Path, *, fresh: bool, listener: Listener | None) -> None:
    """Install with uv, which writes `uv.lock`; what else is installed stays."""
    which = ["--python", _interpreter() or _any_python()] if fresh else []
    if fresh:  # with pip, which `uv sync` would leave out, and which it then leaves in
        _install([uv, "venv", "--seed", *which, folder(root)], root, listener)
    _install(_sync_command(uv, root), root, listener)


def _sync_command(uv: Path, root: Path) -> list[str | Path]:
    extra = ["--extra", requirements.DEV] if requirements.has_dev_extra(root) else []
    return [uv, "sync", "--inexact", *extra]  # the group `dev` is synchronized by itself


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
    own = f".[{requirements.DEV}]" if requirements.has_dev_extra(root) else "."
    what = ["-e", own, *requirements.dev_group(root)]
    _install([python(root), "-m", "pip", "install", *options, *what], root, listener)


def _complete(uv: Path | None, root: Path, *, listener: Listener | None) -> None:
    """Install packages again of which a folder is missing; an installer does not look at them."""
    name = venv.shown(root)
    broken = installed.incomplete(folder(root))
    if not broken:
        return
    if uv:
        again = [part for name in broken for part in ("--reinstall-package", name)]
        _install([*_sync_command(uv, root), *again], root, listener)
    else:
        options = ["--disable-pip-version-check", "--no-input", "--no-deps", "--force-reinstall"]
        exact = list(installed.versions(folder(root), broken))
        names = [one.replace(" ", "==") for one in exact]
        _install([python(root), "-m", "pip", "install", *options, *names], root, listener)
    if left := installed.incomplete(folder(root)):
        raise PolsterError(
            f"{name} lacks files of {', '.join(left)}, and installing them again did not help",
            hint="recreate it:  polster setup --force",
        )


def _install(command: list[str | Path], root: Path, listener: Listener | None) -> None:
    try:
        done = process.run(command, cwd=root, env=_variables(root), listener=listener)
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


def _variables(root: Path) -> Mapping[str, str]:
    """Return the environment of installers, which tells uv where the project's own is."""
    found = folder(root)
    usual = (requirements.workspace_of(root) or root) / ".venv"
    own = {} if found == usual else {"UV_PROJECT_ENVIRONMENT": str(found)}
    return {**process.clean_environment(), **own}


@contextmanager
def _aside(root: Path, present: Path) -> Iterator[None]:
    """Put the present environment aside; it comes back if there is no new one.

    Raises PolsterError for one that is not the project's to be replaced: that of a system, or the
    active one.
    """
    old = present.with_name(f"{present.name}{_OLD}{os.getpid()}")
    if not os.path.lexists(present):
        yield
        return
    is_virtual = present.name == ".venv" or (present / "pyvenv.cfg").is_file()
    if present != venv.made_by_uv(root) or not is_virtual:
        why = venv.broken(root) or "--force would replace it"
        raise PolsterError(
            f"{present} is the environment in use here, and is not recreated: {why}",
            hint="deactivate it, or unset UV_PROJECT_ENVIRONMENT, for a .venv of this project",
        )
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
