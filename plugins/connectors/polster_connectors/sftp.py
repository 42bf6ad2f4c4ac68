"""The template `sftp`: the files of an SFTP server that match a pattern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from polster_connectors import shared
from polster_core.errors import UsageProblem
from polster_core.rendering import file_options
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile, Option, RuntimePart

_DEFAULT = "SFTP"
_ENV = (
    EnvVar(name="SFTP_HOST", help="The machine that the SFTP server runs on.", required=True),
    EnvVar(name="SFTP_PORT", help="Its port.", default="22"),
    EnvVar(name="SFTP_USER", help="Who reads there.", required=True),
    EnvVar(name="SFTP_PASSWORD", help="Their password; or else a key file.", secret=True),
    EnvVar(name="SFTP_KEY_FILE", help="Their private key, such as ~/.ssh/id_ed25519."),
    EnvVar(name="SFTP_KEY_PASSPHRASE", help="What the private key is locked with.", secret=True),
    EnvVar(
        name="SFTP_HOST_KEY",
        help="The server's own key, ssh-ed25519 AAAA...; without it known_hosts must have it.",
    ),
    EnvVar(
        name="SFTP_KNOWN_HOSTS",
        help="The file of the servers that are known.",
        default="~/.ssh/known_hosts",
    ),
    EnvVar(name="SFTP_TIMEOUT_SECONDS", help="How long to wait for an answer.", default="30"),
    EnvVar(
        name="SFTP_MIN_AGE_SECONDS",
        help="How long nobody must have written to a file before it is read.",
        default="60",
    ),
)
_FORMATS = ("csv", "json", "ndjson", "parquet", "excel")
_WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_EXCEL = ("fastexcel>=0.14,<1", "python-calamine>=0.4,<1")
_OPTIONS = (
    Option(
        name="pattern",
        help="The files on the server, such as /out/orders-*.csv; ** is any folder.",
        question="Which files of the server, such as /out/orders-*.csv?",
        required=True,
    ),
    Option(
        name="format",
        help="What is in the files; their names say if it is not given.",
        choices=_FORMATS,
    ),
    Option(
        name="files",
        help="Read those that are new or have changed since the last run, or all each time.",
        choices=("new", "all"),
        default="new",
    ),
    Option(name="file-column", help="A column with the path of each row's file, such as _file."),
    Option(
        name="if-empty",
        help="What becomes of a pattern that matches nothing: an error, or a run without rows.",
        choices=("error", "empty"),
        default="error",
    ),
    Option(
        name="sheet", help="The sheet by name, number or pattern; the first if it is not given."
    ),
    *file_options.CSV,
    shared.CONNECTION,
)


def template() -> AssetTemplate:
    """Return the template."""
    return AssetTemplate(
        name="sftp",
        summary="files of an SFTP server",
        layers=("bronze",),
        options=_OPTIONS,
        requirements=(
            "asyncssh[bcrypt]>=2.21,<3",
            "backports.zstd>=1,<2; python_version < '3.14'",
        ),
        runtime=(shared.part("sftp"), RuntimePart(package="polster_runtime.sources.files")),
        requirements_of=_requirements,
        env_of=shared.variables(_DEFAULT, _ENV),
        files=_files,
    )


def _requirements(context: AssetContext) -> Iterable[str]:
    """Return what reads workbooks, where there are any."""
    suffix = PurePosixPath(context.answers.get("pattern", "").lower()).suffix
    excel = context.answers.get("format", "") == "excel" or suffix in _WORKBOOKS
    return _EXCEL if excel else ()


def _files(context: AssetContext) -> Iterator[NewFile]:
    from polster_core.rendering.python_source import quoted

    answers = context.answers
    pattern, start = answers["pattern"].strip(), shared.prefix(context, _DEFAULT)
    if not pattern or pattern.endswith("/") or any(not sign.isprintable() for sign in pattern):
        raise UsageProblem("--pattern is a file on the server, or a pattern", hint="/out/*.csv")
    given = {
        "pattern": pattern,
        "format": answers.get("format"),
        "sheet": answers.get("sheet"),
        "file_column": answers.get("file-column"),
        "if_empty": "empty" if answers["if-empty"] == "empty" else "",
        "connection": start if start != _DEFAULT else "",
    }
    return shared.files(
        context,
        "sftp",
        "SFTP",
        [*(f"{name}={quoted(text)}" for name, text in given.items() if text), *_reading(answers)],
        incremental=answers["files"] == "new",
        needs=f"{start}_HOST",
        note=f"reads {pattern}",
    )


def _reading(answers: Mapping[str, str]) -> Iterator[str]:
    """Yield the argument that says how files are read, if anything is named."""
    named = {
        option.name: answers[option.name] for option in file_options.CSV if option.name in answers
    }
    if options := file_options.reader_arguments(named):
        yield f"options={file_options.literal(options)}"
