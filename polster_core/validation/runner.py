"""Run rules over a pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from polster_core.model.diagnostics import Problem, Severity, ValidationRule
from polster_core.model.pipeline import Pipeline
from polster_core.plugins.capture import captured
from polster_core.validation.suppressions import Ignored


@dataclass(frozen=True)
class Rule:
    """A rule and the distribution that it comes from."""

    rule: ValidationRule
    source: str

    @property
    def name(self) -> str:
        """What the rule is called in reports and in `ignore`."""
        return self.rule.name


@dataclass(frozen=True)
class Finding:
    """A problem and the name of the rule that found it."""

    rule: str
    problem: Problem

    @property
    def is_error(self) -> bool:
        """Whether the finding makes the check fail."""
        return self.problem.severity is Severity.ERROR

    @property
    def where(self) -> str:
        """`path:line:column`."""
        return f"{self.problem.path}:{self.problem.line}:{self.problem.column}"


@dataclass(frozen=True)
class Report:
    """What the rules found, by file and line, and how many findings were ignored."""

    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    ignored: int = 0
    failed: tuple[str, ...] = ()
    """The names of rules that failed: what they would have found is not known."""

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(finding.is_error for finding in self.findings)

    @property
    def fixable(self) -> int:
        """How many findings `--fix` would fix."""
        return sum(finding.problem.fix is not None for finding in self.findings)


def check(pipeline: Pipeline, rules: Iterable[Rule], ignored: Ignored | None = None) -> Report:
    """Run every rule that is not ignored, and return what they found."""
    ignored = ignored or Ignored()
    asked = tuple(rule for rule in rules if not ignored.everywhere(rule.name))
    failed: list[str] = []
    found = [finding for rule in asked for finding in _findings(rule, pipeline, failed)]
    kept = [one for one in found if not ignored.here(one.rule, one.problem.path)]
    ordered = tuple(sorted(kept, key=_order))
    return Report(ordered, asked, len(found) - len(kept), tuple(dict.fromkeys(failed)))


def _findings(rule: Rule, pipeline: Pipeline, failed: list[str]) -> list[Finding]:
    """Return what a rule finds; a rule that fails halfway keeps what it had found."""
    found: list[Problem] = []
    with captured() as seen:
        try:
            for problem in rule.rule.check(pipeline):
                if isinstance(problem, Problem):
                    found.append(problem)
                else:
                    failed.append(rule.name)
                    found.append(_failure(rule, f"it yielded {problem!r}, not a Problem"))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            failed.append(rule.name)
            found.append(_failure(rule, f"{type(error).__name__}: {error}"))
    if seen.text:
        found.append(_fault(rule, f"printed: {seen.text}", Severity.WARNING))
    return [Finding(rule.name, problem) for problem in found]


def _failure(rule: Rule, said: str) -> Problem:
    return _fault(rule, f"failed: {said}", Severity.ERROR)


def _fault(rule: Rule, said: str, severity: Severity) -> Problem:
    said = " ".join(said.split())
    return Problem(
        path=PurePosixPath("pyproject.toml"),
        message=f"the rule {rule.name} of {rule.source} {said}",
        severity=severity,
        hint=f"report it to the plugin's author; ignore {rule.name} meanwhile",
    )


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    problem = finding.problem
    return (str(problem.path), problem.line, problem.column, finding.rule, problem.message)
