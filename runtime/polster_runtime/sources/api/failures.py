"""Why requests fail: in words, and without what is secret."""

import gzip
import socket
import zlib
from collections.abc import Generator

from requests import exceptions as errors
from urllib3.exceptions import NameResolutionError, NewConnectionError

API_BAD_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)


API_FAILURES: tuple[tuple[tuple[type[BaseException], ...], str, bool], ...] = (
    (
        (errors.InvalidURL, errors.MissingSchema, errors.InvalidSchema, errors.InvalidHeader),
        "cannot be asked for: it is no address of the web, or a secret has line breaks",
        True,
    ),
    ((errors.TooManyRedirects,), "redirects in a circle", True),
    (
        (NameResolutionError, socket.gaierror),
        "the host is unknown; check its name, and the network",
        False,
    ),
    ((errors.SSLError,), "the certificate is not trusted{why}; see REQUESTS_CA_BUNDLE", True),
    ((errors.ProxyError,), "the proxy refuses; check HTTPS_PROXY", False),
    ((ConnectionRefusedError,), "connection refused", False),
    ((errors.Timeout, TimeoutError), "no answer in time; see …_TIMEOUT", False),
    (
        (errors.ContentDecodingError, *API_BAD_GZIP),
        "the answer cannot be unpacked",
        False,
    ),
    ((NewConnectionError,), "cannot be reached", False),
    ((errors.RequestException,), "the connection broke off", False),
)
"""What each kind of error means, the first that fits, and whether it is so each time."""


def api_failure(error: BaseException) -> tuple[str, bool]:
    """Why a request failed, and whether it always will; never its own text, which has the query."""
    causes = list(_api_causes(error))
    for kinds, text, final in API_FAILURES:
        timed_out = TimeoutError in kinds and any("timed out" in str(one) for one in causes)
        if timed_out or any(isinstance(cause, kinds) for cause in causes):
            why = next((str(w) for c in causes if (w := getattr(c, "verify_message", ""))), "")
            return text.format(why=f" ({why})" if why else ""), final
    return getattr(error, "strerror", None) or type(error).__name__, False


def _api_causes(error: BaseException | None) -> Generator[BaseException, None, None]:
    """An error, and those that it came from."""
    waiting, known = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in known:
            known.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
