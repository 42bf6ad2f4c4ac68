"""What goes to stderr: errors, warnings, and one line while something takes long."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import click

from polster_core.errors import PolsterError
from polster_core.model.names import closest

INTERRUPTED = 130
_BEGINNING = len("dep")
_PERIOD = 0.25
_ERASE = "\r\x1b[2K"


def report(error: BaseException, *, debug: bool = False) -> int:
    """Print `error:` and `hint:` as the error deserves, and return the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, BrokenPipeError):  # `| head` has seen enough
        _silence_stdout()
        return 0
    if type(error).__name__ == "NoArgsIsHelpError":  # older versions of click have none
        return _help_instead(error)
    if debug:
        sys.excepthook(type(error), error, error.__traceback__)
    reason, details, hint, code = _describe(error)
    _prefixed("error", reason, "red")
    for line in details:
        click.echo(f"  {line}", err=True)
    if hint:
        _prefixed("hint", hint, None)
    return code


def warn(message: str, *, details: Sequence[str] = ()) -> None:
    """Print a line that is worth knowing and stops nothing, with details below it."""
    _prefixed("warning", message, "yellow")
    for line in details:
        click.echo(f"  {line}", err=True)


def note(message: str) -> None:
    """Print a line that explains something."""
    _prefixed("note", message, None)


def _describe(error: BaseException) -> tuple[str, tuple[str, ...], str | None, int]:
    """Return reason, lines below it, hint and exit code."""
    if isinstance(error, PolsterError):
        return error.reason, error.details, error.hint, error.exit_code
    if isinstance(error, (KeyboardInterrupt, EOFError, click.Abort)):
        return "interrupted", (), None, INTERRUPTED
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error), (), _usage_hint(error), error.exit_code
    if isinstance(error, click.ClickException):
        return _words(error.format_message()), (), _usage_hint(error), error.exit_code
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", (), None, 1
    return _unforeseen(error)


def _unforeseen(error: BaseException) -> tuple[str, tuple[str, ...], str | None, int]:
    kind = type(error).__name__
    if libraries := _misfits():
        hint = "something has changed them, such as a plugin; install Polster again"
        return libraries[0], tuple(libraries[1:]), hint, 1
    hint = "this is a fault of Polster or of a plugin; run it again with --debug to see where"
    return f"{kind}: {error}" if str(error) else kind, (), hint, 1


def _misfits() -> list[str]:
    """Ask for the libraries that do not fit: nothing here may raise, packaging may be gone, too."""
    try:
        from polster_core.environment.own_libraries import misfits

        return misfits()
    except Exception:  # noqa: BLE001 - then the error itself is shown
        return []


def _help_instead(error: BaseException) -> int:
    context = getattr(error, "ctx", None)
    click.echo(context.get_help() if context else "", err=True)
    return int(getattr(error, "exit_code", 2))


def _no_such_option(error: click.NoSuchOption) -> str:
    known = [
        name.removeprefix("--")
        for parameter in (error.ctx.command.get_params(error.ctx) if error.ctx else ())
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    ]
    word = error.option_name.removeprefix("--")
    near = _abbreviated(word, known) or closest(word, known)
    return f"there is no option {error.option_name}" + (f". Did you mean --{near}?" if near else "")


def _abbreviated(word: str, known: Sequence[str]) -> str | None:
    """Return the one option that begins alike: deps is short for dependencies."""
    found = [name for name in known if name[:_BEGINNING] == word[:_BEGINNING]]
    return found[0] if len(found) == 1 else None


def _words(message: str) -> str:
    """Put click's sentences into our form: no capital, no full stop."""
    lines = " ".join(message.split())
    return (lines[:1].lower() + lines[1:]).removesuffix(".")


def _usage_hint(error: click.ClickException) -> str | None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"see  {context.command_path} --help" if context else None


def _prefixed(prefix: str, message: str, color: str | None) -> None:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    styled = click.style(f"{prefix}:", fg=color, bold=color is not None)
    click.echo(f"{styled} {message}", err=True, color=False if plain else None)


def _silence_stdout() -> None:
    """Give the interpreter somewhere to flush to when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # not a real file: a test's
        return


class Live:
    """Show what goes on and for how many seconds; in a terminal only, and gone at the end.

    With `verbose`, the program's own lines are printed instead.
    """

    def __init__(self, words: str, *, verbose: bool = False) -> None:
        """Say `words` in front of the seconds."""
        self._words = words
        self._verbose = verbose
        self._shown = sys.stderr.isatty() and not verbose
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to count."""
        if self._shown:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Take the line away."""
        self._done.set()
        if self._shown:
            self._thread.join()
            sys.stderr.write(_ERASE)
            sys.stderr.flush()

    def hear(self, line: str) -> None:
        """Take a line of a program's output."""
        if self._verbose:
            click.echo(line, err=True)

    def _tick(self) -> None:
        while not self._done.wait(_PERIOD):
            seconds = time.monotonic() - self._started
            sys.stderr.write(f"{_ERASE}{self._words}  {seconds:.0f} s")
            sys.stderr.flush()
