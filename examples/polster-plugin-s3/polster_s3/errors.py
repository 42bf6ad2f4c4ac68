"""What went wrong at S3, in one line: what, where, what next."""

import re
from collections.abc import Iterator

from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
)
from botocore.exceptions import ConnectionError as NoConnection

from polster_runtime.errors import StorageError, Unreachable
from polster_s3.access import Access

POLARS = "object-store error"
STATUS = re.compile(r"status code: (\d{3})|status: (\d{3})")
REFUSED = {
    "AuthFailure",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
NOBODY = (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError, SSOError)
ELSEWHERE = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
NEEDED = "s3:ListBucket on the bucket; s3:GetObject, s3:PutObject, s3:DeleteObject on its files"
BROKEN = ("aborted", "reset", "broken pipe", "closed", "error sending")
DOCTOR = "or run  python -m polster_runtime doctor"


class MissingBucket(StorageError):
    """S3 lets us in, but the bucket is not there."""


def explained(error: BaseException, access: Access) -> StorageError | None:
    """The error in words; None for one that is none of S3's, or that callers understand."""
    for cause in _causes(error):
        if isinstance(cause, ClientError):
            return _of_answer(cause, access)
        if isinstance(cause, NOBODY):
            return _refused(_first_line(cause), access)
        if isinstance(cause, NoConnection):
            return _unreachable(str(cause.kwargs.get("error", cause)), access)
        if isinstance(cause, HTTPClientError | TimeoutError):
            return _unreachable(_first_line(cause), access)
        if isinstance(cause, BotoCoreError):
            return StorageError(f"{access}: {_first_line(cause)}")
    return _of_polars(error, access) if POLARS in str(error) else None


def status(error: BaseException) -> int:
    """What S3 answered: a status of HTTP; 0 where it was not S3 that said no."""
    answers = (cause.response for cause in _causes(error) if isinstance(cause, ClientError))
    return next((_status(answer) for answer in answers), 0)


def _status(answer: object) -> int:
    metadata = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
    return int(metadata.get("HTTPStatusCode", 0))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _of_answer(error: ClientError, access: Access) -> StorageError | None:
    code, number = error.response.get("Error", {}).get("Code", ""), status(error)
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = headers.get("x-amz-bucket-region", "")
    if number == 301 or code in ELSEWHERE or (region and region != access.region):
        return _elsewhere(region or error.response.get("Error", {}).get("Region", ""), access)
    return _of_status(number, "" if code == str(number) else code, access)


def _of_status(number: int, code: str, access: Access) -> StorageError | None:
    detail = f"{number} {code}".strip()
    if number == 404:
        return _no_bucket(access) if code == "NoSuchBucket" else None
    if number == 412:
        return None
    if number == 401 or code in REFUSED:
        return _refused(detail, access)
    if number == 403:
        why = f"{access}: {access.how} may not do this ({detail}); it needs {NEEDED}"
        return StorageError(why, final=True)
    if number in {408, 409, 429} or number >= 500:
        return Unreachable(f"{access}: S3 is too busy ({detail}); run it again later, {DOCTOR}")
    return StorageError(f"{access}: S3 answers {detail}; {DOCTOR.removeprefix('or ')}")


def _of_polars(error: BaseException, access: Access) -> StorageError | None:
    text = str(error)
    found = STATUS.search(text)
    number = found and (found[1] or found[2])
    if number == "404" or isinstance(error, FileNotFoundError):
        return None
    if number:
        return _of_status(int(number), "", access)
    if isinstance(error, OSError):
        return _unreachable(text.partition(" (path:")[0].removeprefix(f"{POLARS}: "), access)
    return None


def _unreachable(why: str, access: Access) -> Unreachable:
    low = why.lower()
    if "resolve" in low or "name or service" in low or "getaddrinfo" in low:
        return Unreachable(
            f"{access}: there is no {access.address[0]}; check S3_REGION, S3_ENDPOINT and the "
            f"network, {DOCTOR}"
        )
    if "timed out" in low or "timeout" in low:
        why = "it does not answer"
    elif "refused" in low or "connect call failed" in low:
        why = "the connection was refused"
    elif any(word in low for word in BROKEN):
        why = "the connection broke"
    return Unreachable(
        f"{access}: {access.address[0]} cannot be reached ({why[:200]}); "
        f"check the network, {DOCTOR}"
    )


def _refused(detail: str, access: Access) -> StorageError:
    return StorageError(
        f"{access}: {access.how} was refused ({detail}); check {access.variable}, {DOCTOR}",
        final=True,
    )


def _elsewhere(region: str, access: Access) -> StorageError:
    where = f"in {region}" if region else "in another region"
    change = f"S3_REGION={region}" if region else "S3_REGION"
    why = f"{access}: it is {where}, not in {access.region}; set {change}"
    return StorageError(why, final=True)


def _no_bucket(access: Access) -> StorageError:
    create = f"aws s3 mb s3://{access.s3_bucket} --region {access.region}"
    return MissingBucket(
        f"{access}: there is no such bucket; check S3_BUCKET, or create it:  {create}",
        final=True,
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
