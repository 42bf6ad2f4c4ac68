"""Whether the broker answers, and what it is called without its password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from polster_runtime.errors import SettingsError

WANTS_PASSWORD = ("auth", "password", "access_refused", "noperm", "login")


def place(url: str) -> str:
    """A broker as a person names it."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Turn what keeps the broker from answering in a block into a SettingsError."""
    try:
        yield
    except SettingsError:
        raise
    except Exception as error:  # whatever the client of the broker raises
        raise SettingsError(_sentence(error, url)) from None


def reach(app: Any) -> None:
    """Let the broker take messages. Raises what its client raises."""
    with app.connection_for_write() as link:
        link.ensure_connection(max_retries=1, timeout=3)
        link.default_channel.queue_declare(app.conf.task_default_queue)


def _sentence(error: BaseException, url: str) -> str:
    text = str(error).strip().partition("\n")[0]
    scheme = url.partition("://")[0]
    if isinstance(error, ImportError | KeyError):
        return f"CELERY_BROKER_URL: there is no broker of the kind {scheme} here; install it first"
    if any(word in text.lower() for word in WANTS_PASSWORD):
        given = " another" if urlsplit(url).password else ""
        return (
            f"the broker {place(url)} asks for{given or ' a'} password; put it into "
            f"CELERY_BROKER_URL:  {scheme}://USER:PASSWORD@HOST"
        )
    return f"no broker answers at {place(url)}; start it, or change CELERY_BROKER_URL"
