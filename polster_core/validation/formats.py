"""A report as text for people, and as JSON, GitHub annotations and SARIF for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from polster_core.model.diagnostics import Severity
from polster_core.validation.runner import Finding, Report

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_WIDEST = 72
"""Columns: a place longer than this does not push all rules and messages to the right."""


def as_rows(report: Report) -> Iterator[tuple[Finding, str, str]]:
    """Yield each finding with its place and its rule, padded so that messages align."""
    places = [len(one.where) for one in report.findings if len(one.where) <= _WIDEST]
    place = max(places, default=0)
    rule = max((len(one.rule) for one in report.findings), default=0)
    for one in report.findings:
        yield one, f"{one.where:<{place}}", f"{one.rule:<{rule}}"


def count(report: Report, assets: int) -> str:
    """Return the closing line."""
    ignored = f" ({report.ignored} ignored)" if report.ignored else ""
    if not report.findings:
        return f"no problems in {_number(assets, 'asset')}{ignored}"
    errors = sum(finding.is_error for finding in report.findings)
    warnings = len(report.findings) - errors
    kinds = [_number(n, kind) for n, kind in ((errors, "error"), (warnings, "warning")) if n]
    text = f"{_number(len(report.findings), 'problem')} ({', '.join(kinds)}){ignored}"
    if report.fixable:
        text += f", {report.fixable} fixable with `--fix`"
    return text


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def as_json(report: Report) -> str:
    """Return the report as one JSON document; `ok` is whether there is no error."""
    problems = [_as_dict(finding) for finding in report.findings]
    return json.dumps({"ok": report.ok, "problems": problems}, indent=2)


def _as_dict(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    return {
        "rule": finding.rule,
        "severity": str(problem.severity),
        "path": str(problem.path),
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint or None,
        "fix": problem.fix.summary if problem.fix else None,
    }


def as_github(report: Report, folder: PurePosixPath) -> Iterator[str]:
    """Yield workflow commands, which GitHub shows beside the lines of a pull request.

    `folder` is where the project is in its repository. The form and what has to be escaped:
    https://docs.github.com/actions/reference/workflow-commands-for-github-actions and
    https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
    """
    for finding in report.findings:
        problem = finding.problem
        properties = {
            "file": str(folder / problem.path),
            "line": str(problem.line),
            "col": str(problem.column),
            "title": finding.rule,
        }
        named = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
        hint = f" ({problem.hint})" if problem.hint else ""
        yield f"::{problem.severity} {named}::{_data(f'{problem.message}{hint}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(report: Report, folder: PurePosixPath, version: str) -> str:
    """Return the report as SARIF 2.1.0, as code scanning and editors take it.

    `folder` is where the project is in its repository, `version` Polster's.
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    names = [rule.name for rule in report.rules]
    run = {
        "tool": {
            "driver": {
                "name": "Polster",
                "version": version,
                "rules": [
                    {
                        "id": rule.name,
                        "shortDescription": {"text": rule.rule.summary},
                        "properties": {"source": rule.source},
                    }
                    for rule in report.rules
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, names, folder) for finding in report.findings],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(finding: Finding, names: list[str], folder: PurePosixPath) -> dict[str, Any]:
    problem = finding.problem
    hint = f" ({problem.hint})" if problem.hint else ""
    level = "error" if problem.severity is Severity.ERROR else "warning"
    return {
        "ruleId": finding.rule,
        "ruleIndex": names.index(finding.rule),
        "level": level,
        "message": {"text": f"{problem.message}{hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": quote(str(folder / problem.path)),
                        "uriBaseId": "%SRCROOT%",
                    },
                    "region": {"startLine": problem.line, "startColumn": problem.column},
                }
            }
        ],
    }
