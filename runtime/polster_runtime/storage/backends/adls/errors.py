"""What went wrong at Azure, in one line: what, where, what next."""

import re
from collections.abc import Iterator

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from polster_runtime.errors import StorageError, Unreachable
from polster_runtime.storage.backends.adls.access import Access

POLARS = "object-store error"
STATUS = re.compile(r"status code: (\d{3})")
MISSING = ("ContainerNotFound", "ContainerBeingDeleted", "FilesystemNotFound")
FORBIDDEN = (
    "AuthorizationPermissionMismatch",
    "InsufficientAccountPermissions",
    "AuthorizationResourceTypeMismatch",
)
DOCTOR = "or run  python -m polster_runtime doctor"


class MissingContainer(StorageError):
    """Azure lets us in, but the container is not there."""


def explained(error: BaseException, access: Access) -> StorageError | None:
    """The error in words; None for one that is none of Azure's, or that callers understand."""
    for cause in _causes(error):
        if isinstance(cause, HttpResponseError) and cause.status_code:
            code = getattr(cause, "error_code", None) or ""
            return _of_status(cause.status_code, str(getattr(code, "value", code)), access)
        if isinstance(cause, ServiceRequestError | ServiceResponseError | TimeoutError):
            return _unreachable(str(cause), access)
        if isinstance(cause, ClientAuthenticationError):
            return _refused("", access) if access.has_secret else _no_credentials(access)
        if isinstance(cause, AzureError):
            return StorageError(f"{access}: {_first_line(cause)}")
    return _of_polars(error, access) if POLARS in str(error) else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _of_status(status: int, code: str, access: Access) -> StorageError | None:
    detail = f"{status} {code}".strip()
    if status == 404:
        return _no_container(access) if code in MISSING else None
    if code in FORBIDDEN:
        return _forbidden(detail, access)
    if status in {401, 403}:
        return _refused(detail, access)
    if status in {408, 429} or status >= 500:
        return Unreachable(f"{access}: Azure is too busy ({detail}); run it again later, {DOCTOR}")
    return StorageError(f"{access}: Azure answers {detail}; {DOCTOR.removeprefix('or ')}")


def _of_polars(error: BaseException, access: Access) -> StorageError | None:
    text = str(error)
    found = STATUS.search(text)
    if (found and found[1] == "404") or isinstance(error, FileNotFoundError):
        return None
    if found:
        return _of_status(int(found[1]), "", access)
    if isinstance(error, OSError):
        return _unreachable(text.partition(" (path:")[0].removeprefix(f"{POLARS}: "), access)
    return None


def _unreachable(why: str, access: Access) -> Unreachable:
    if "resolve" in why or "Name or service" in why or "getaddrinfo" in why:
        return Unreachable(
            f"{access}: there is no {_host(access)}; check ADLS_ACCOUNT_NAME and the network, "
            f"{DOCTOR}"
        )
    if "timed out" in why.lower() or "timeout" in why.lower():
        why = "it does not answer"
    elif "refused" in why:
        why = "the connection was refused"
    elif "aborted" in why or "reset" in why or "Broken pipe" in why or "error sending" in why:
        why = "the connection broke"
    return Unreachable(
        f"{access}: {_host(access)} cannot be reached ({why.partition(chr(10))[0][:200]}); "
        f"check the network and the firewall of the account, {DOCTOR}"
    )


def _refused(detail: str, access: Access) -> StorageError:
    expiry = f", which ends {access.sas_expiry}," if access.sas_expiry else ""
    how = f"{access.how}{expiry} was refused" + (f" ({detail})" if detail else "")
    return StorageError(f"{access}: {how}; check {access.variable}, {DOCTOR}", final=True)


def _no_credentials(access: Access) -> StorageError:
    """No secret and no identity: a run may go on without them, if that is asked."""
    why = (
        f"{access}: there are no credentials; set ADLS_ACCOUNT_KEY (or another of the secrets), or "
        f"log in with  az login, {DOCTOR}"
    )
    return Unreachable(why) if access.adls_fallback_to_local else StorageError(why, final=True)


def _forbidden(detail: str, access: Access) -> StorageError:
    needed = (
        "a SAS needs the permissions read, add, create, write, delete and list (racwdl)"
        if access.sas_token
        else "it needs the role Storage Blob Data Contributor"
    )
    why = f"{access}: {access.how} may not do this ({detail}); {needed}, {DOCTOR}"
    return StorageError(why, final=True)


def _no_container(access: Access) -> StorageError:
    create = (
        f"az storage container create --account-name {access.account} "
        f"--name {access.adls_container} --auth-mode login"
    )
    return MissingContainer(
        f"{access}: there is no such container; check ADLS_CONTAINER, or create it:  {create}",
        final=True,
    )


def _host(access: Access) -> str:
    return access.endpoint.partition("://")[2].partition("/")[0]


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
