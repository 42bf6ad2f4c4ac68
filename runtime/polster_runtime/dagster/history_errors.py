"""What is wrong with Dagster's history, in one line, and what to do about it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from polster_runtime.config.paths import dagster_home, project_root
from polster_runtime.dagster.history import place, postgres_url
from polster_runtime.errors import HistoryError, PipelineError

STAYS = " (what was published stays)"
ANOTHER = "make it writable for this user, or name another folder in DAGSTER_HOME"
SPACE = "free some space on its disk, and run it again"
BEGIN_ANEW = "move {file} away: the next run begins a new history, the data stays as it is"
MIGRATE = "dagster instance migrate"
OTHER_TABLES = "{file} has not the tables of this Dagster ({text})"
Known = tuple[tuple[str, str, str], ...]
"""A part of a message, what it means, what to do."""
SQLITE: Known = (
    ("is full", "the disk is full", SPACE),
    ("No space", "the disk is full", SPACE),
    ("File too large", "the disk is full", SPACE),
    ("I/O error", "the disk is full, or does not work", SPACE),
    ("readonly", "it cannot be written", ANOTHER),
    ("Read-only", "it cannot be written", ANOTHER),
    ("Permission denied", "it cannot be written", ANOTHER),
    ("unable to open", "it cannot be opened", ANOTHER),
    ("is locked", "another process has locked {file}", "end that process, and run it again"),
    ("malformed", "{file} is damaged", BEGIN_ANEW),
    ("not a database", "{file} is damaged, or is no database", BEGIN_ANEW),
    ("no such", OTHER_TABLES, f"{MIGRATE}, or {BEGIN_ANEW}"),
    ("no column", OTHER_TABLES, f"{MIGRATE}, or {BEGIN_ANEW}"),
    ("", "{text}", ANOTHER),
)
POSTGRES: Known = (
    ("password authentication failed", "the password is wrong", "change DAGSTER_POSTGRES_URL"),
    ("no password supplied", "it wants a password", "change DAGSTER_POSTGRES_URL"),
    ("does not exist", "{text}", f"create it, or run  {MIGRATE}  where Dagster is newer"),
    ("permission denied", "{text}", "GRANT what is missing, or let another user own the tables"),
    ("", "{text}", "start the server, or change DAGSTER_POSTGRES_URL"),
)


@contextmanager
def told(kept: str = "") -> Iterator[None]:
    """Turn what goes wrong with the history in a block into a HistoryError.

    `kept` is said behind what is wrong.
    """
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        if (found := _of_history(error)) is None:
            raise
        raise HistoryError(_sentence(found, kept)) from None


def where() -> str:
    """The place of the history, as a person names it, without a password. Raises HistoryError."""
    if url := postgres_url():
        return place(url)
    return named(dagster_home())


def named(path: Path) -> str:
    """A path, relative to the project where it is in it."""
    root = project_root()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _of_history(error: BaseException | None) -> BaseException | None:
    """The error of the database or of the folder that is behind another error."""
    while error is not None:
        if isinstance(error, DBAPIError) and error.orig is not None:
            return error.orig
        if isinstance(error, sqlite3.Error):
            return error
        if isinstance(error, OSError) and _is_in_home(error.filename):
            return error
        error = error.__cause__ or error.__context__
    return None


def _sentence(error: BaseException, kept: str) -> str:
    url = postgres_url()
    text = _first_line(error, str(url.password) if url and url.password else "")
    postgres = type(error).__module__.startswith("psycopg2")
    known = POSTGRES if postgres else SQLITE
    meaning, hint = next(found[1:] for found in known if found[0] in text)
    place = where()
    if postgres and not url:
        place = f"the database that {named(dagster_home() / 'dagster.yaml')} names"
    file = place if postgres else _broken_file() or place
    told = f"Dagster's history in {place}: {meaning}{kept}; {hint}"
    return told.format(text=text, file=file)


def _first_line(error: BaseException, secret: str) -> str:
    """What a database says, without the address of the server and its own words for fatal."""
    text = str(error).strip().partition("\n")[0]
    for before in ("failed: ", "FATAL: ", "ERROR: "):
        text = text.rpartition(before)[2].strip()
    text = text.replace("{", "(").replace("}", ")")
    return text.replace(secret, "…") if secret else text


def _broken_file() -> str:
    """The database of the history that cannot be read; "" where all can."""
    home = dagster_home()
    with suppress(OSError):
        runs = sorted((home / "history" / "runs").glob("*.db"))
        for file in (home / "history/runs.db", home / "schedules/schedules.db", *runs):
            if file.exists() and _is_broken(file):
                return named(file)
    return ""


def _is_broken(file: Path) -> bool:
    """Whether a database is damaged; one that is locked, or not for us, is not."""
    address = f"{file.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as link:
            return bool(link.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.OperationalError:
        return False
    except sqlite3.DatabaseError:
        return True


def _is_in_home(file: object) -> bool:
    return isinstance(file, (str, Path)) and Path(file).is_relative_to(dagster_home())
